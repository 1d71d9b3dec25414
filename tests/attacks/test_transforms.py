"""Transforms: what is known of each, gradients, and each sample's own draws."""

import io

import pytest
import torch
from PIL import Image

from attacks import AttackError, destruction_rate
from attacks.core.seeds import Noise
from attacks.transforms.jpeg import compressed
from attacks.transforms.random_transforms import (
    ANY_POSE,
    PRINT_AND_PHOTOGRAPH,
    apply_transforms,
    blur,
    brightness,
    colour,
    contrast,
    gaussian_noise,
    jpeg,
    mirror,
    perspective,
    resize,
    rotation,
    scale,
    shift,
    transformed,
)
from attacks.transforms.robust_to import robust_to
from attacks.transforms.warp import corners_moved, sampling_grid, warped
from interpret import from_levels, to_levels

EVERY = {
    "rotation": rotation(),
    "scale": scale(),
    "shift": shift(),
    "mirror": mirror(),
    "perspective": perspective(),
    "blur": blur(),
    "resize": resize(),
    "brightness": brightness(),
    "contrast": contrast(),
    "colour": colour(),
    "gaussian_noise": gaussian_noise(),
    "jpeg": jpeg(),
}
NOTHING = [rotation(0), scale(1, 1), shift(0), perspective(0), blur(0), resize(1, 1), brightness(0), contrast(1, 1)]
NOTHING += [colour(0), gaussian_noise(0)]


def smooth(height=24, width=40):
    """A picture that survives being sampled anew."""
    down, across = torch.meshgrid(torch.linspace(0, 3, height), torch.linspace(0, 4, width), indexing="ij")
    return torch.stack([(down + across).sin(), (down * 2).cos(), across.cos()])[None] * 0.4 + 0.5


def saved(image, quality, subsample):
    """What Pillow writes and reads."""
    file = io.BytesIO()
    levels = (image[0] * 255).round().byte()
    picture = Image.fromarray(levels.permute(1, 2, 0).numpy() if len(levels) == 3 else levels[0].numpy())
    picture.save(file, "JPEG", quality=quality, subsampling=2 if subsample else 0)
    content = torch.frombuffer(bytearray(Image.open(file).tobytes()), dtype=torch.uint8)
    return content.view(*image.shape[2:], -1).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("subsample", [False, True])
def test_jpeg_is_libjpegs(cat, quality, subsample):
    image = from_levels(to_levels(cat[..., :171, :203]))
    simulated = compressed(image, torch.tensor([quality]), subsample=subsample)
    real = saved(image, quality, subsample)
    lost = (real - image).abs().mean()
    assert (simulated - real).abs().mean() < min(0.7 * lost, 0.7 / 255)
    assert ((simulated * 255) - (simulated * 255).round()).abs().max() < 1e-4


def test_jpeg_of_grey_pictures(cat):
    image = from_levels(to_levels(cat.mean(1, True)[..., :66, :75]))
    assert (compressed(image, torch.tensor([75])) - saved(image, 75, False)).abs().mean() < 0.2 / 255


def test_jpeg_has_the_gradient_of_what_it_keeps():
    image = torch.full((1, 3, 16, 16), 0.4, requires_grad=True)
    for subsample in (False, True):
        gradient = torch.autograd.grad(compressed(image, torch.tensor([80]), subsample=subsample).sum(), image)[0]
        torch.testing.assert_close(gradient, torch.ones_like(gradient), atol=1e-4, rtol=0)
    with pytest.raises(AttackError, match="JPEG"):
        compressed(torch.rand(1, 4, 8, 8), torch.tensor([80]))


@pytest.mark.parametrize("name", EVERY)
def test_each_draws_for_itself_and_has_a_gradient(name):
    images = (smooth(21, 18) + torch.zeros(4, 1, 1, 1)).double().requires_grad_()
    together = transformed(images, [EVERY[name]], seed=[1, 2, 3, 5])
    alone = [transformed(images[i : i + 1], [EVERY[name]], seed=[seed]) for i, seed in enumerate((1, 2, 3, 5))]
    assert torch.equal(together, torch.cat(alone))
    assert together.shape == images.shape and together.dtype == images.dtype
    assert not all(torch.equal(together[:1], other) for other in together[1:].split(1))
    gradient = torch.autograd.grad(together.sum(), images)[0]
    assert torch.isfinite(gradient).all() and (gradient.flatten(1) != 0).any(1).all()
    noise = Noise.of(3, torch.rand(4, 1))
    apply_transforms(images, [EVERY[name]] * 3, noise)
    assert (noise.drawn >= 3).all()


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_black_and_white_are_not_stuck(level):
    images = torch.full((2, 3, 24, 24), level, requires_grad=True)
    for name in ("rotation", "perspective", "blur", "resize", "jpeg"):
        seen = transformed(images, [EVERY[name]], seed=3)
        assert seen.min() >= 0 and seen.max() <= 1
        assert torch.autograd.grad(seen.sum(), images)[0].mean() > 0.9, name


def test_one_seed_serves_all_pictures_differently_and_repeats():
    images = smooth().expand(3, -1, -1, -1)
    seen, before = transformed(images, PRINT_AND_PHOTOGRAPH, seed=4), torch.get_rng_state()
    assert torch.equal(seen, transformed(images, PRINT_AND_PHOTOGRAPH, seed=4))
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(seen[0], seen[1]) and not torch.equal(
        seen, transformed(images, PRINT_AND_PHOTOGRAPH, seed=5)
    )
    for views in (ANY_POSE, PRINT_AND_PHOTOGRAPH):
        seen = transformed(images, views)
        assert seen.min() >= 0 and seen.max() <= 1
    assert transformed(images, []) is images


def test_settings_that_change_nothing_change_nothing():
    image = smooth()
    for transform in NOTHING:
        torch.testing.assert_close(transformed(image, [transform]), image, atol=1e-5, rtol=0)


def test_turns_go_where_they_should():
    image, one, zero = smooth(24, 24), torch.ones(1), torch.zeros(1)
    quarter = warped(image, [[zero, -one, zero], [one, zero, zero]])
    torch.testing.assert_close(quarter, image.rot90(1, (2, 3)), atol=1e-5, rtol=0)
    # A turn keeps circles round on a wide picture: a bar stays as long.
    wide = torch.zeros(1, 1, 61, 121)
    wide[..., 30, 55:66] = 1
    drawn = [transformed(wide, [rotation(90)], seed=[seed]) for seed in range(40)]
    for turned in drawn:
        rows, columns = (turned[0, 0, 20:41, 50:71].amax(axis) > 0.3 for axis in (1, 0))
        assert 9 <= (rows.sum() ** 2 + columns.sum() ** 2).sqrt() <= 16
    moved = warped(image, [[one, zero, 2 / 24 * one], [zero, one, zero]])
    torch.testing.assert_close(moved[..., :-1], image[..., 1:], atol=1e-5, rtol=0)
    larger = warped(torch.eye(8)[None, None], [[one / 2, zero, zero], [zero, one / 2, zero]])
    assert larger[0, 0, 0, 0] > 0.5 and larger[0, 0, 0, 7] == 0


def test_perspective_takes_corners_to_corners():
    moves = 0.2 * torch.rand(3, 4, 2, dtype=torch.float64)
    rows = corners_moved(moves)
    corners = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]], dtype=torch.float64)
    for corner, move in zip(corners, moves.unbind(1), strict=True):
        across, down, over = (a * corner[0] + b * corner[1] + c for a, b, c in rows)
        torch.testing.assert_close(torch.stack([across / over, down / over], 1), corner + move)
    assert sampling_grid(corners_moved(0 * moves), torch.rand(3, 1, 4, 6)).shape == (3, 4, 6, 2)


def test_blur_spreads_a_point_and_keeps_its_sum():
    image = torch.zeros(1, 1, 31, 31)
    image[..., 15, 15] = 1
    spread = transformed(image, [blur(2)], seed=3)
    assert 0 < spread.max() < 1
    torch.testing.assert_close(spread.sum(), torch.tensor(1.0), atol=1e-4, rtol=0)
    torch.testing.assert_close(spread, spread.transpose(2, 3))


def test_spatial_transforms_refuse_what_has_no_places():
    for name in ("rotation", "perspective", "blur", "resize", "jpeg"):
        with pytest.raises(AttackError, match="takes pictures"):
            transformed(torch.rand(2, 5), [EVERY[name]])
    assert transformed(torch.rand(2, 5), [brightness(), contrast(), colour(), gaussian_noise()]).shape == (2, 5)


def test_destruction_rate_is_the_papers():
    def model(points):  # the class is the value times ten
        return -(points[:, :1] * 10 - torch.arange(10.0)).abs()

    def halved(points, noise):
        return points / 2

    # Fooled and righted; fooled and not righted; never right; never fooled, though the transform fools.
    images = torch.tensor([[0.2], [0.3], [0.5], [0.4]])
    adversarial = torch.tensor([[0.4], [0.8], [0.2], [0.4]])
    labels = torch.tensor([2, 3, 1, 4])
    assert destruction_rate(model, images, adversarial, labels, [halved]) == 0.5
    assert destruction_rate(model, images, adversarial, labels, []) == 0
    for batch_size in (1, 3):
        assert destruction_rate(model, images, adversarial, labels, [halved], draws=3, batch_size=batch_size) == 0.5
    nobody = destruction_rate(model, images[2:], adversarial[2:], labels[2:], [halved])
    assert nobody != nobody
    with pytest.raises(AttackError, match="clean"):
        destruction_rate(model, images, adversarial[:2], labels, [])
    with pytest.raises(AttackError, match="once"):
        destruction_rate(model, images, adversarial, labels, [], draws=0)


@pytest.mark.parametrize("name", ["jpeg", "resize", "blur", "noise"])
def test_ways_through_the_world_keep_the_picture(name, cat):
    for strength in {"jpeg": (95, 10), "resize": (0.9, 0.2), "blur": (0.3, 3), "noise": (1, 30)}[name]:
        after = robust_to(cat, name, strength)
        assert after.shape == cat.shape and after.min() >= 0 and after.max() <= 1
    mild, strong = (
        (robust_to(cat, name, strength) - cat).abs().mean()
        for strength in {"jpeg": (95, 10), "resize": (0.9, 0.2), "blur": (0.3, 3), "noise": (1, 30)}[name]
    )
    assert 0 < mild < strong
