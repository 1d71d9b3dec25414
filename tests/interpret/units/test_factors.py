"""Deep feature factorisation: planted parts are found, and as well as by scikit-learn."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from interpret import Classifier, InterpretError, UnknownNameError, factorize
from interpret.units.factors import non_negative_factors
from tests.command import interp


def planted(places=60, channels=12, factors=3):
    """Strengths, of which each place has one or two, and directions, of which each has channels of its own."""
    draws = torch.Generator().manual_seed(4)
    strengths = torch.rand(places, factors, generator=draws) * (torch.rand(places, factors, generator=draws) > 0.5)
    strengths[:factors] = torch.eye(factors)
    directions = torch.rand(factors, channels, generator=draws) * (torch.rand(factors, channels, generator=draws) > 0.4)
    return strengths.double(), directions.double()


def test_planted_parts_are_found():
    strengths, directions = planted()
    found, ways, error = non_negative_factors(strengths @ directions, 3)
    assert error < 1e-4 and found.min() >= 0 and ways.min() >= 0
    torch.testing.assert_close(ways.norm(dim=1), torch.ones(3, dtype=torch.float64))
    alike = (ways @ (directions / directions.norm(dim=1, keepdim=True)).T).amax(1)
    assert alike.min() > 0.999
    assert (found.square().sum(0).diff() <= 0).all()  # the strongest first


@pytest.mark.slow
@pytest.mark.parametrize("factors", [2, 5])
def test_as_little_is_left_out_as_by_scikit_learn(factors):
    decomposition = pytest.importorskip("sklearn.decomposition")
    values = torch.rand(80, 30, generator=torch.Generator().manual_seed(1), dtype=torch.float64) ** 3
    strengths, ways, error = non_negative_factors(values, factors)
    assert error == pytest.approx(float((values - strengths @ ways).square().sum() / values.square().sum()), rel=1e-9)
    theirs = decomposition.NMF(factors, init="nndsvda", max_iter=2000, tol=1e-6).fit(values.numpy())
    assert error <= 1.01 * theirs.reconstruction_err_**2 / float(values.square().sum())


class Parts(nn.Module):
    """Its feature map has a channel for red and one for blue, and it sees what there is more of."""

    def __init__(self):
        super().__init__()
        self.colours = nn.Conv2d(3, 2, 1, bias=False)
        self.relu = nn.ReLU()
        with torch.no_grad():
            self.colours.weight.copy_(torch.tensor([[1.0, 0, -1], [-1, 0, 1]])[..., None, None])

    def forward(self, images):
        return self.relu(self.colours(images)).mean((2, 3)) * 10


def red_and_blue():
    left = torch.zeros(1, 3, 8, 8)
    left[:, 0, :, :4] = 0.8
    left[:, 2, :, 4:] = 0.6
    return left


def test_parts_are_the_same_in_every_picture_and_named_by_what_is_seen_of_them():
    classifier = Classifier(Parts(), mean=[0] * 3, std=[1] * 3, labels=["red", "blue"])
    first, second = red_and_blue(), torch.nn.functional.pad(red_and_blue().flip(3), (0, 4))
    found = factorize(classifier, [first, second], layer="relu", factors=2)
    assert found.error < 1e-6 and [own.shape for own in found.maps] == [(2, 8, 8), (2, 8, 12)]
    assert [int(logits.argmax()) for logits in found.logits[0]] == [0, 1]
    red, blue = found.maps[1]
    assert red[:, 4:8].min() > 0.7 and red[:, :4].max() < 1e-3
    assert blue[:, :4].min() > 0.5 and blue[:, 4:].max() < 1e-3


def test_what_cannot_be_taken_apart():
    classifier = Classifier(Parts(), mean=[0] * 3, std=[1] * 3)
    with pytest.raises(InterpretError, match="64 places of 2 channels have no 3 factors"):
        factorize(classifier, [red_and_blue()], layer="relu", factors=3)
    with pytest.raises(InterpretError, match="layer 'relu' gives nothing above zero"):
        factorize(classifier, [torch.zeros(1, 3, 8, 8)], layer="relu", factors=1)
    with pytest.raises(UnknownNameError, match="no layer 'rely'"):
        factorize(classifier, [red_and_blue()], layer="rely")
    with pytest.raises(InterpretError, match="factors is a whole number of 1 or more, not 0"):
        factorize(classifier, [red_and_blue()], factors=0)


def test_in_the_shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = interp("factorize", "sample:cat", "sample:koala", "-m", "squeezenet1_1", "--factors", "3", "--json")
    assert run.status == 0, run.err
    about = json.loads(run.out)
    assert about["layer"] == "features.12" and about["pictures"] == ["sample:cat", "sample:koala"]
    assert 0 < about["left_out"] < 0.8 and (tmp_path / about["path"]).stat().st_size > 10_000
    run = interp("factorize", "sample:cat", "no.png", "-m", "squeezenet1_1", "-o", "found.npz")
    assert run.status == 2 and "no.png" in run.err
    run = interp("factorize", "sample:cat", "-m", "squeezenet1_1", "-o", "found.npz")
    assert run.status == 0 and np.load("found.npz")["maps_0"].shape == (4, 13, 13)
    for words, said in ((("--layer", "x"), "no layer 'x'"), (("--factors", "0"), "Invalid value for '--factors'")):
        run = interp("factorize", "sample:cat", "-m", "squeezenet1_1", *words)
        assert run.status == 2 and said in run.err and run.err.count("\n") == 1
