"""Explanations averaged over flips and shifts."""

import pytest
import torch
from torch import Tensor, nn

from interpret import Classifier, gradcam, integrated_gradients, saliency, smoothed
from interpret.explainers.smoothing import _moved, _put_back
from tests.tiny import SmallCNN


def network():
    torch.manual_seed(1)
    return SmallCNN().eval()


@pytest.mark.parametrize(
    ("explain", "options"), [(saliency, {}), (gradcam, {"layer": "conv2"}), (integrated_gradients, {"steps": 3})]
)
def test_once_is_the_explanation_itself(explain, options):
    images, target = torch.rand(2, 3, 40, 36), torch.tensor([1, 2])
    expected = explain(network(), images, target, **options)
    assert torch.equal(smoothed(explain, network(), images, target, times=1, **options), expected)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (0, -3), (-1, 3), (3, 3)])
def test_what_is_moved_is_put_back(down, right, mirrored):
    images = torch.rand(2, 3, 12, 14)
    moved = _moved(images, down, right, mirrored)
    assert moved.shape == images.shape
    back = _put_back(moved, down, right, mirrored)
    # What was moved over the edge is lost.
    rows = slice(max(0, -down), 12 - max(0, down))
    columns = slice(max(0, -right), 14 - max(0, right))
    assert torch.equal(back[..., rows, columns], images[..., rows, columns])


def test_the_move_goes_where_it_says():
    spot = torch.zeros(1, 1, 9, 9)
    spot[..., 4, 4] = 1
    assert _moved(spot, 2, -1, False)[0, 0].nonzero().tolist() == [[6, 3]]
    assert _moved(spot, 2, -1, True)[0, 0].nonzero().tolist() == [[6, 5]]


class Symmetric(nn.Module):
    """A network that sees no difference between a picture and its mirror image."""

    def __init__(self):
        super().__init__()
        self.network = network()

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images) + self.network(images.flip(-1))


def test_a_symmetric_network_is_explained_symmetrically():
    """Below 13 pixels there are no shifts: what remains is the mean over the picture and its mirror image."""
    images = torch.rand(1, 3, 12, 12)
    symmetric = images + images.flip(-1)
    found = smoothed(saliency, Symmetric(), symmetric, 1, times=4)
    torch.testing.assert_close(found, found.flip(-1))
    assert found.abs().max() > 0
    torch.testing.assert_close(
        smoothed(saliency, Symmetric(), images, 1, times=2), saliency(Symmetric(), images, 1), rtol=1e-4, atol=1e-6
    )


def test_any_network_is_explained_like_the_mean_of_both_ways():
    images = torch.rand(1, 3, 12, 12)
    expected = (saliency(network(), images, 1) + saliency(network(), images.flip(-1), 1).flip(-1)) / 2
    torch.testing.assert_close(smoothed(saliency, network(), images, 1, times=2), expected)


def test_shifts_are_small_and_repeat():
    """An explainer that shows where the picture lies: each copy is at most 4 % away, and the mean adds up to one."""
    seen = []

    def where(_, images, __):
        seen.append(images[0, 0].nonzero()[0].tolist())
        return images

    spot = torch.zeros(1, 1, 50, 50)
    spot[..., 20, 24] = 1
    found = smoothed(where, network(), spot, 0, times=9)
    assert found[0, 0, 20, 24] == pytest.approx(1) and found.sum() == pytest.approx(1)
    assert seen[0] == [20, 24]
    assert all(abs(row - 20) <= 2 and min(abs(column - 24), abs(49 - column - 24)) <= 2 for row, column in seen)
    assert len({tuple(place) for place in seen}) >= 6
    assert torch.equal(found, smoothed(where, network(), spot, 0, times=9))


def test_a_map_of_ones_stays_one_where_the_network_saw():
    def ones(classifier, images, target):
        geometry = classifier.prepare(images)[1]
        return geometry.undo(torch.ones(len(images), 1, 4, 4))

    classifier = Classifier(SmallCNN(), mean=[0.5] * 3, std=[0.5] * 3, input_size=32, resize=36)
    images = torch.rand(1, 3, 40, 90)
    mean = smoothed(ones, classifier, images, 0, times=16)
    seen = classifier.prepare(images)[1].seen()
    torch.testing.assert_close(mean[0, 0][seen], torch.ones(int(seen.sum())))
    assert (mean[0, 0][~seen] == 0).all()
