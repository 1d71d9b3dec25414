"""CRAFT: a planted concept comes first, lies where it was planted, and matters more than channels drawn at random."""

import numpy as np
import pytest
import torch
from torch import nn

from interpret import Classifier, InterpretError, UnknownNameError, craft
from interpret.concepts.crops import Crop, crops_of, mean_activations
from interpret.concepts.importance import _as_much
from interpret.units.factors import non_negative_factors, strengths_in

from .planted import SIDE, SQUARE, TAG, network, shapes


def squares(count):
    images, kinds, corners = shapes(3 * count, 7)
    return [image[None] for image in images[kinds == SQUARE]], corners[kinds == SQUARE]


def test_a_planted_tag_comes_first_and_lies_in_its_corner():
    images, corners = squares(12)
    found = craft(network(), images, SQUARE, concepts=6)
    assert found.layer == "5" and found.error < 0.01 and found.directions.shape == (6, 24)
    assert (found.falls.diff() <= 0).all()
    assert found.falls[0] > 2 * found.floors[0].mean() and found.chance(0) < 0.2
    for own, corner in zip(found.maps, corners, strict=True):
        place = torch.tensor(divmod(int(own[0].argmax()), own.shape[2])) * (SIDE / own.shape[1])
        assert ((place + 2 - corner - TAG / 2).abs() < TAG).all()
    first = found.strongest(0, 6)
    assert len({crop.picture for crop in first}) == 6
    for crop in first:  # each holds the tag, or some of it
        near = (torch.tensor([crop.top, crop.left]) - corners[crop.picture]).abs()
        assert (near < max(crop.side, TAG)).all()


@pytest.mark.slow
def test_the_factors_leave_out_no_more_than_scikit_learns_on_what_a_layer_gives():
    decomposition = pytest.importorskip("sklearn.decomposition")
    images, _ = squares(12)
    view = network().on_inputs()
    with torch.no_grad():
        values = torch.cat([mean_activations(view, image, crops_of(0, (SIDE, SIDE), 1 / 3), "3") for image in images])
    ours = non_negative_factors(values.double(), 5)[2]
    theirs = decomposition.NMF(5, init="nndsvda", max_iter=5000, tol=1e-5).fit(values.double().numpy())
    assert ours <= 1.01 * theirs.reconstruction_err_**2 / float(values.double().square().sum())


class Reds(nn.Module):
    """Two channels, for red and for blue, of which the first class adds up the red ones."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()
        self.head = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor([[3.0, 0], [0, 1]]))

    def forward(self, images):
        return self.head(self.relu(images[:, [0, 2]]).mean((2, 3)))


def test_what_a_deletion_takes_is_exact():
    left = torch.zeros(1, 3, 8, 8)
    left[:, 0, :, :4], left[:, 2, :, 4:] = 0.8, 0.6
    wide = torch.nn.functional.pad(left.flip(3), (0, 4))  # of another size
    classifier = Classifier(Reds(), mean=[0] * 3, std=[1] * 3, labels=["red", "blue"])
    found = craft(classifier, [left, wide], 0, layer="relu", concepts=2, draws=3, crop=0.5)
    torch.testing.assert_close(found.directions, torch.eye(2), atol=1e-3, rtol=0)
    # All of red is 3 x 0.4 in the square picture, and two thirds of that in the wide one; blue is nothing to the class.
    torch.testing.assert_close(found.falls, torch.tensor([1.0, 0]), atol=2e-3, rtol=0)
    # As much of both as red alone holds is some of the red, or all of the blue and then a little of the red.
    assert found.floors.shape == (2, 3) and (found.floors[0] <= found.falls[0] + 1e-3).all()
    assert [tuple(own.shape) for own in found.maps] == [(2, 8, 8), (2, 8, 12)]


def test_random_channels_hold_as_much():
    there = torch.rand(6, 3, 3, generator=torch.Generator().manual_seed(2))
    for order in (torch.arange(6), torch.tensor([5, 0, 3, 1, 2, 4])):
        part = _as_much(there, torch.tensor(2.5), order)
        assert float(part.square().sum()) == pytest.approx(2.5, rel=1e-5) and (part <= there).all()
        shares = (part / there)[order].amax((1, 2))
        assert (shares.diff() <= 1e-6).all() and ((shares > 1e-6) & (shares < 1 - 1e-6)).sum() <= 1
    torch.testing.assert_close(_as_much(there, torch.tensor(1e6), torch.arange(6)), there)


def test_strengths_are_the_closest_that_are_not_below_zero():
    draw = torch.Generator().manual_seed(3)
    directions = torch.rand(3, 7, generator=draw)
    true = torch.rand(20, 3, generator=draw) * (torch.rand(20, 3, generator=draw) > 0.5)
    torch.testing.assert_close(strengths_in(true @ directions, directions), true, atol=1e-3, rtol=0)


def test_crops_cover_a_picture():
    crops = crops_of(4, (32, 48), 1 / 3)
    covered = np.zeros((32, 48), int)
    for crop in crops:
        covered[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side] += 1
    assert covered.min() >= 1 and {crop.side for crop in crops} == {11} and {crop.picture for crop in crops} == {4}
    assert crops_of(0, (5, 5), 1.0) == [Crop(0, 0, 0, 5)]


def test_what_is_refused():
    image = squares(1)[0]
    with pytest.raises(InterpretError, match="there are none"):
        craft(network(), [], 1)
    with pytest.raises(InterpretError, match="16 crops of 24 channels have no 17 concepts"):
        craft(network(), image, 1, concepts=17)
    with pytest.raises(InterpretError, match="gives no map"):
        craft(network(), image, 1, layer="7", concepts=2)
    with pytest.raises(UnknownNameError, match="no layer 'x'"):
        craft(network(), image, 1, layer="x")
    with pytest.raises(InterpretError, match="crop is a number above 0 and up to 1, not 0.0"):
        craft(network(), image, 1, crop=0.0)
