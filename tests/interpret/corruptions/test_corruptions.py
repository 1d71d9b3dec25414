"""The 15 corruptions, five severities each, beside the published ones."""

import pytest
import torch

import interpret
from interpret import CORRUPTIONS, InterpretError, UnknownNameError, corrupt
from tests.interpret.corruptions import published as peer

# What the published code makes of the picture with the same random numbers: mean levels, severity by severity
# (python -m tests.interpret.corruptions.published).
MEANS = {
    "gaussian_noise": (132.61, 132.23, 132.19, 131.66, 129.6),
    "shot_noise": (131.86, 130.63, 129.87, 124.61, 119.53),
    "impulse_noise": (133.16, 133.04, 132.31, 132.68, 131.32),
    "defocus_blur": (132.55, 132.55, 132.55, 134.3, 134.03),
    "glass_blur": (130.2, 131.22, 131.04, 130.18, 129.95),
    "motion_blur": (134.22, 135.29, 136.63, 137.93, 138.31),
    "zoom_blur": (132.3, 132.41, 132.63, 132.74, 133.07),
    "snow": (172.8, 203.82, 207.22, 214.86, 217.47),
    "frost": (181.46, 214.44, 227.91, 197.68, 215.06),
    "fog": (140.32, 124.43, 153.2, 116.97, 116.56),
    "brightness": (151.18, 168.62, 178.52, 185.23, 190.1),
    "contrast": (132.57, 132.62, 132.61, 132.57, 132.6),
    "elastic_transform": (133.18, 133.02, 132.3, 132.79, 131.9),
    "pixelate": (133.55, 133.63, 133.49, 133.25, 133.37),
    "jpeg_compression": (132.98, 133.68, 133.28, 133.83, 133.76),
}


def levels_of(images):
    return (images * 255).round()


@pytest.mark.parametrize("name", MEANS)
def test_mean_levels_are_those_that_the_published_code_gives(name):
    if name == "frost" and not peer.INSTALLED:
        pytest.skip("the published photographs of frost are in the package imagecorruptions")
    found = [float(levels_of(corrupt(peer.picture(), name, severity, seed=7)).mean()) for severity in range(1, 6)]
    assert found == pytest.approx(MEANS[name], abs=2.5 if name == "impulse_noise" else 0.2)


@pytest.mark.skipif(not peer.INSTALLED, reason="needs imagecorruptions, scikit-image and OpenCV")
@pytest.mark.parametrize("name", peer.REPEATED)
@pytest.mark.parametrize("severity", interpret.corruptions.SEVERITIES)
def test_each_is_within_a_level_of_the_published_one(name, severity):
    levels = levels_of(peer.picture())[0].byte().permute(1, 2, 0).numpy()
    expected = torch.from_numpy(peer.published(levels, name, severity, seed=3).copy()).permute(2, 0, 1)
    found = levels_of(corrupt(peer.picture(), name, severity, seed=3))[0]
    apart = (found - expected).abs()
    assert apart.mean() < 0.2 and (apart > 1).float().mean() <= (0.01 if name in ("glass_blur", "frost") else 0)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_picture_depends_on_its_batch(name):
    images = torch.rand(3, 3, 24, 32)
    together = corrupt(images, name, 3, seed=[4, 5, 4])
    assert together.shape == images.shape and torch.equal(together, levels_of(together) / 255)
    for number, seed in enumerate((4, 5, 4)):
        alone = corrupt(images[number : number + 1], name, 3, seed=seed)[0]
        assert (levels_of(alone) - levels_of(together[number])).abs().max() <= 1
    assert not torch.equal(together, images)


def test_random_ones_differ_by_seed_and_grey_becomes_colour():
    grey = torch.full((2, 1, 20, 20), 0.5)
    noisy = corrupt(grey, "gaussian-noise", 2, seed=[0, 1])
    assert noisy.shape == (2, 3, 20, 20) and not torch.equal(noisy[0], noisy[1])
    assert corrupt(grey[:0], "fog").shape == (0, 3, 20, 20)


@pytest.mark.parametrize(
    "images, name, options, error, message",
    [
        (torch.rand(1, 3, 20, 20), "frog", {}, UnknownNameError, "did you mean 'fog' or 'frost'|did you mean 'fog'"),
        (torch.rand(1, 3, 20, 20), "fog", {"severity": 6}, InterpretError, "1 to 5"),
        (torch.rand(1, 3, 8, 20), "fog", {}, InterpretError, "16 pixels"),
        (torch.rand(1, 3, 20, 20) * 2, "fog", {}, InterpretError, r"\[0, 1\]"),
        (torch.rand(2, 3, 20, 20), "fog", {"seed": [1]}, InterpretError, "2 pictures need one seed"),
    ],
)
def test_what_cannot_be_corrupted_is_refused(images, name, options, error, message):
    with pytest.raises(error, match=message):
        corrupt(images, name, **options)
