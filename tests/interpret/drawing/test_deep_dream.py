"""Deep dream: it climbs, calmly, in tiles as well, and repeats."""

import pytest
import torch
from torchvision import models

import interpret
from interpret import Classifier, UnknownNameError, deep_dream
from interpret.drawing.ascend import looker
from interpret.drawing.deep_dream import default_objective, preconditioned, rolled_tiles, sizes
from interpret.drawing.objectives import energy
from interpret.drawing.tiles import fitted, tiles
from tests.tiny import SmallCNN

QUICK = {"octaves": 2, "steps": 4}


def test_the_objective_rises_and_the_run_repeats(lite0, cat):
    photo = fitted(cat, 96)
    dreamt = deep_dream(lite0, photo, **QUICK)
    objective = default_objective(lite0, photo)
    look = looker(lite0.on_inputs(), tuple(objective.layers))
    with torch.no_grad():
        assert objective.score(look(dreamt)) > 1.3 * objective.score(look(photo))
    assert dreamt.shape == photo.shape and 0 <= dreamt.min() and dreamt.max() <= 1
    assert torch.equal(dreamt, deep_dream(lite0, photo, **QUICK))


@pytest.mark.parametrize("name", ["resnet18", "alexnet"])
def test_other_networks(name):
    network = models.get_model(name, weights=None).eval()
    assert deep_dream(network, torch.rand(1, 3, 72, 64), octaves=1, steps=2).shape == (1, 3, 72, 64)


def test_one_channel_and_a_small_picture():
    classifier = Classifier(SmallCNN(1), mean=[0.5], std=[0.5], input_size=16)
    for channels in (1, 3):
        assert deep_dream(classifier, torch.rand(1, channels, 16, 16), **QUICK).shape == (1, channels, 16, 16)


def test_a_guide(lite0, cat):
    photo = fitted(cat, 64)
    guided = deep_dream(lite0, photo, guide=fitted(interpret.read("sample:koala"), 64), octaves=1, steps=2)
    assert not torch.equal(guided, deep_dream(lite0, photo, octaves=1, steps=2))


def test_the_tiles_of_a_picture_cover_each_pixel_once():
    counted = torch.zeros(1, 1, 300, 170)
    for tile in tiles(300, 170, 128, 32):
        counted[..., tile.own[0] : tile.own[2], tile.own[1] : tile.own[3]] += 1
        assert tile.seen[2] - tile.seen[0] <= 128
        assert torch.equal(tile.own_part(tile.of(counted)).shape[-2:].numel() * torch.ones(()), _area(tile))
    assert (counted == 1).all()


def _area(tile):
    return torch.tensor(float((tile.own[2] - tile.own[0]) * (tile.own[3] - tile.own[1])))


def test_the_gradient_of_tiles_reaches_every_pixel_once():
    picture = torch.rand(1, 3, 100, 90, requires_grad=True)
    parts = rolled_tiles(picture, 80, torch.Generator().manual_seed(0))
    slopes = sum(torch.autograd.grad(part.sum(), picture)[0] for part in parts)
    assert torch.equal(slopes, torch.ones_like(picture))


def test_tiles_find_the_gradient_of_the_whole():
    network = SmallCNN().eval().requires_grad_(False)
    picture = torch.rand(1, 3, 160, 160, requires_grad=True)
    look = looker(network, ["conv1"])

    def slope(side):
        parts = rolled_tiles(picture, side, torch.Generator().manual_seed(0))
        return sum(torch.autograd.grad(look(part)["conv1"].square().sum(), picture)[0] for part in parts)

    alike = torch.cosine_similarity(slope(96).flatten(), slope(4096).flatten(), dim=0)
    assert alike > 0.98


def test_the_preconditioned_gradient():
    gradient = torch.randn(2, 3, 40, 50)
    changed = preconditioned(gradient)
    torch.testing.assert_close(changed.abs().mean((1, 2, 3)), torch.ones(2))
    rough = [(part[..., 1:] - part[..., :-1]).abs().mean() / part.abs().mean() for part in (gradient, changed)]
    assert rough[1] < 0.7 * rough[0]
    assert (preconditioned(torch.zeros(1, 3, 8, 8)) == 0).all()


def test_octaves_are_never_tiny():
    assert sizes(100, 200, 9, 2) == [(50, 100), (100, 200)]
    assert sizes(8, 8, 4, 1.4) == [(8, 8)]


def test_a_layer_that_does_not_exist_names_its_neighbours():
    with pytest.raises(UnknownNameError, match="conv1"):
        deep_dream(SmallCNN(), torch.rand(1, 3, 32, 32), energy("conv11"))
