"""Feature inversion: invertible layers give the picture back."""

import pytest
import torch
from torch import nn
from torchvision import models

from interpret import Classifier, UnknownNameError, invert
from interpret.drawing.inversion import relative_error
from interpret.drawing.parametrisations import Pixels
from tests.tiny import SmallCNN


@pytest.mark.parametrize("first", [nn.Identity(), nn.Linear(48, 48)], ids=["identity", "linear"])
def test_an_invertible_layer_gives_the_picture_back(first):
    if isinstance(first, nn.Linear):
        nn.init.orthogonal_(first.weight)
    network = nn.Sequential(nn.Flatten(), first, nn.Linear(48, 2)).eval()
    picture = torch.rand(1, 3, 4, 4)
    start = Pixels(torch.full_like(picture, 0.5), free=True)
    # Of an orthogonal layer the error is a round bowl, whose bottom one step of half its curvature finds.
    rate = float(network[1](picture.flatten(1)).detach().square().sum() / 2)
    found = invert(network, picture, "1", start=start, steps=3, learning_rate=rate, optimizer="sgd", smoothness=0)
    torch.testing.assert_close(found, picture, atol=1e-4, rtol=0)


def test_the_error_falls_and_the_run_repeats(lite0, cat):
    inverted = invert(lite0, cat, "_blocks.2", steps=20)
    assert inverted.shape == (1, 3, 224, 224)
    assert relative_error(lite0, cat, inverted, "_blocks.2") < 0.7
    assert relative_error(lite0, cat, lite0.prepare(cat)[0], "_blocks.2") == 0


def test_a_run_repeats():
    picture = torch.rand(1, 3, 32, 32)
    classifier = Classifier(SmallCNN(), mean=[0.5] * 3, std=[0.5] * 3, input_size=32)
    runs = [invert(classifier, picture, "conv2", steps=5, seed=1) for _ in range(2)]
    assert torch.equal(*runs)


def test_other_networks():
    alexnet = models.alexnet(weights=None).eval()
    assert invert(alexnet, torch.rand(1, 3, 64, 64), "features.4", steps=2).shape == (1, 3, 64, 64)
    grey = Classifier(SmallCNN(1), mean=[0.5], std=[0.5], input_size=16)
    assert invert(grey, torch.rand(1, 1, 16, 16), "conv1", steps=2).shape == (1, 1, 16, 16)


def test_a_layer_that_does_not_exist_names_its_neighbours():
    with pytest.raises(UnknownNameError, match="conv1"):
        invert(SmallCNN(), torch.rand(1, 3, 16, 16), "conv11")
