"""From a picture to a network's input grid and back: closed forms and adjoints."""

import pytest
import torch

from interpret import InterpretError, PictureError
from interpret.geometry import INTERPOLATIONS, Geometry, fit

# Pictures as (height, width): ordinary, wide, tall, smaller than the input, a point, a stripe each way.
PICTURES = [(48, 64), (40, 150), (150, 40), (13, 17), (1, 1), (2, 90), (90, 2)]
SETTINGS = [((32, 32), 36), ((32, 32), None), ((24, 40), None)]
every = pytest.mark.parametrize(("picture", "settings"), [(p, s) for p in PICTURES for s in SETTINGS])


def same_sum(one, other):
    torch.testing.assert_close(one.sum(), other.sum(), rtol=1e-9, atol=1e-9)


def test_a_640_by_480_picture_by_hand():
    # The shorter side 480 becomes 256, so 640 becomes 341; the crop begins at 16 and round(117 / 2) = 58.
    geometry = fit((480, 640), (224, 224), 256)
    assert geometry == Geometry((480, 640), (256, 341), (16, 58), (224, 224))
    assert geometry.box == pytest.approx((58 * 640 / 341, 16 * 480 / 256, 282 * 640 / 341, 240 * 480 / 256))
    # Pixel centres between 30 and 450, and between 108.86 and 529.27.
    assert int(geometry.seen().sum()) == 420 * 420
    assert geometry.seen()[30:450, 109:529].all()


@pytest.mark.parametrize(
    ("picture", "input_size", "resize", "resized", "offset"),
    [
        ((480, 640), (224, 224), None, (224, 299), (0, 38)),
        ((640, 480), (224, 224), None, (299, 224), (38, 0)),
        ((100, 100), (224, 224), 256, (256, 256), (16, 16)),
        ((100, 100), (224, 112), None, (224, 224), (0, 56)),
        ((1, 1), (224, 224), 256, (256, 256), (16, 16)),
        ((3, 300), (30, 30), None, (30, 3000), (0, 1485)),
    ],
)
def test_resize_and_crop(picture, input_size, resize, resized, offset):
    assert fit(picture, input_size, resize) == Geometry(picture, resized, offset, input_size)


@every
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_spread_is_the_adjoint_of_apply(picture, settings, interpolation):
    geometry = fit(picture, *settings, interpolation)
    images = torch.rand(2, 3, *picture, dtype=torch.float64)
    maps = torch.randn(2, 3, *settings[0], dtype=torch.float64)
    applied, spread = geometry.apply(images), geometry.spread(maps)
    assert applied.shape == maps.shape and spread.shape == images.shape
    same_sum(applied * maps, images * spread)
    same_sum(maps, spread)


@every
def test_undo_of_a_constant_is_the_constant_where_it_was_seen(picture, settings):
    geometry = fit(picture, *settings)
    seen = geometry.seen()
    for size in ((1, 1), (7, 7), settings[0]):
        laid = geometry.undo(torch.full((2, 1, *size), 2.5))
        assert laid.shape == (2, 1, *picture)
        torch.testing.assert_close(laid, 2.5 * seen.expand(2, 1, *picture))


@every
def test_seen_is_centred_and_fills_the_box(picture, settings):
    geometry = fit(picture, *settings)
    left, top, right, bottom = geometry.box
    # Resizing keeps the aspect and cropping the centre, but for rounding to a pixel of the resized picture.
    for low, high, axis in ((top, bottom, 0), (left, right, 1)):
        pixel = picture[axis] / geometry.resized[axis]
        assert low >= 0 and high <= picture[axis] + 1e-9
        assert abs(low + high - picture[axis]) <= pixel + 1e-9
    assert abs(int(geometry.seen().sum(0).max()) - (bottom - top)) <= 1
    assert abs(int(geometry.seen().sum(1).max()) - (right - left)) <= 1


@pytest.mark.parametrize("picture", PICTURES)
def test_without_an_input_size_everything_is_the_identity(picture):
    geometry, images = fit(picture, None), torch.rand(1, 3, *picture)
    assert geometry.whole and geometry.seen().all()
    assert geometry.box == (0, 0, picture[1], picture[0])
    assert geometry.apply(images) is images
    assert geometry.undo(images) is images
    assert geometry.spread(images) is images


def test_the_whole_picture_keeps_its_pixels():
    images = torch.rand(1, 3, 24, 24)
    assert torch.equal(fit((24, 24), (24, 24)).apply(images), images)
    cropped = fit((24, 24), (20, 20), 24).apply(images)
    assert torch.equal(cropped, images[..., 2:22, 2:22])


def test_undo_to_twice_the_size():
    # A hot cell of a 2 x 2 map on 4 x 4 pixels: along each axis its weight is 0, 1/4, 3/4, 1.
    hot = torch.tensor([[[[0.0, 0], [0, 1]]]])
    ramp = torch.tensor([0, 0.25, 0.75, 1])
    for geometry in (fit((4, 4), None), fit((4, 4), (8, 8)), fit((4, 4), (2, 2))):
        torch.testing.assert_close(geometry.undo(hot)[0, 0], ramp[:, None] * ramp)


def test_undo_of_a_crop():
    # Of 4 x 8 pixels the network sees columns 2 to 5, one cell of its map a pixel.
    hot = torch.zeros(1, 1, 4, 4)
    hot[..., 3, 0] = 1
    laid = fit((4, 8), (4, 4)).undo(hot)
    expected = torch.zeros(1, 1, 4, 8)
    expected[..., 3, 2] = 1
    torch.testing.assert_close(laid, expected)


@pytest.mark.parametrize("picture", [(480, 640), (200, 900), (900, 300), (90, 70)])
def test_a_spot_comes_back_where_it_was(picture):
    geometry = fit(picture, (224, 224), 256)
    left, top, right, bottom = geometry.box
    row, column = int(top + 0.3 * (bottom - top)), int(left + 0.6 * (right - left))
    rows, columns = torch.meshgrid(torch.arange(picture[0]), torch.arange(picture[1]), indexing="ij")
    width = 0.08 * min(picture)
    spot = torch.exp(-((rows - row) ** 2 + (columns - column) ** 2) / width**2)[None, None]
    laid = geometry.undo(geometry.apply(spot))[0, 0]
    place = divmod(int(laid.argmax()), picture[1])
    assert max(abs(place[0] - row), abs(place[1] - column)) <= max(2, min(picture) / 200)
    torch.testing.assert_close(laid[geometry.seen()], spot[0, 0][geometry.seen()], atol=0.03, rtol=0)


@pytest.mark.parametrize("outside", [torch.no_grad, torch.enable_grad])
def test_spread_needs_no_graph_around_it(outside):
    with outside():
        spread = fit((9, 12), (6, 6)).spread(torch.ones(1, 1, 6, 6))
    assert not spread.requires_grad
    assert spread.sum() == pytest.approx(36)


def test_spread_keeps_the_graph_of_what_it_is_given():
    maps = torch.ones(1, 1, 6, 6, requires_grad=True)
    weights = torch.rand(1, 1, 9, 12)
    geometry = fit((9, 12), (6, 6))
    gradient = torch.autograd.grad((geometry.spread(maps) * weights).sum(), maps)[0]
    torch.testing.assert_close(gradient, geometry.apply(weights))


@pytest.mark.parametrize("picture", [(0, 5), (5, 0)])
def test_a_picture_without_pixels(picture):
    with pytest.raises(InterpretError, match="nothing to look at"):
        fit(picture, (4, 4))


@pytest.mark.parametrize("size", [(2, 20_000), (20_000, 2)])
def test_what_would_fill_the_memory_is_refused(size):
    with pytest.raises(PictureError, match="too elongated"):
        fit(size, (224, 224), 256)
