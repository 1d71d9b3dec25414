"""Pictures that show nothing."""

import pytest
import torch
from torch import nn
from torchvision.transforms.functional import gaussian_blur

from interpret import Classifier, InterpretError
from interpret.images.baselines import NAMES, baseline_for

MEAN = 0.25


def classifier():
    return Classifier(nn.Flatten(), mean=[MEAN] * 3, std=[0.5] * 3)


@pytest.mark.parametrize("name", NAMES)
def test_every_baseline_is_a_picture_for_every_input(name):
    inputs = torch.rand(2, 3, 24, 30)
    made = baseline_for(name, classifier(), inputs)
    assert made.shape == inputs.shape and made.min() >= 0 and made.max() <= 1


@pytest.mark.parametrize("shape", [(2, 3, 64, 80), (1, 1, 7, 9)])
def test_the_blur_is_torchvisions(shape):
    inputs = torch.rand(shape, dtype=torch.float64)
    sigma = min(shape[2:]) / 10
    size = 2 * min(round(3 * sigma), (min(shape[2:]) - 1) // 2) + 1
    blurred = baseline_for("blur", nn.Identity(), inputs)
    torch.testing.assert_close(blurred, gaussian_blur(inputs, [size, size], [sigma, sigma]), rtol=0, atol=1e-6)
    white = torch.ones(shape)
    assert baseline_for("blur", nn.Identity(), white).max() <= 1


def test_the_blur_of_rise():
    """Its kernel, as scipy.ndimage.gaussian_filter makes it of a point in 11 x 11 pixels with a sigma of 5."""
    inputs = torch.full((1, 3, 31, 31), MEAN, dtype=torch.float64)
    inputs[0, 1, 15, 15] += 0.5
    blurred = baseline_for("rise-blur", classifier(), inputs)[0]
    kernel = (blurred[1] - MEAN) / 0.5
    assert kernel[15, 15].item() == pytest.approx(0.008832628216191647, abs=1e-12)
    assert kernel[10, 10].item() == pytest.approx(0.007736635408576913, abs=1e-12)
    assert kernel[9].abs().max() < 1e-12 and kernel.sum().item() == pytest.approx(1)
    torch.testing.assert_close(blurred[::2], inputs[0, ::2])


def test_beyond_the_picture_lies_the_mean():
    white = torch.ones(1, 3, 31, 31, dtype=torch.float64)
    blurred = baseline_for("rise-blur", classifier(), white)[0, 0]
    assert blurred[15, 15].item() == pytest.approx(1) and MEAN < blurred[0, 0] < blurred[0, 15] < 0.7


@pytest.mark.parametrize("baseline", ["purple", torch.zeros(5)])
def test_what_is_no_baseline(baseline):
    with pytest.raises(InterpretError, match="baseline"):
        baseline_for(baseline, classifier(), torch.rand(2, 3, 24, 30))
