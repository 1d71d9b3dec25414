"""Large pictures are worked on a strip at a time: whatever comes of it is the same, and memory holds few copies."""

import numpy as np
import pytest
import torch
from PIL import Image

import interpret.strips
from interpret.figures.overlays import heatmap, largest_of, limit_of, luma, overlay, own_colours
from interpret.geometry import INTERPOLATIONS, fit
from interpret.images.files import pixels_hash, read, read_stored
from interpret.images.levels import from_levels, in_unit_range
from interpret.images.stored import inputs_of
from interpret.strips import strips
from tests.benchmarks.photo_memory import MODEL, command_peak, photo

HEIGHT, WIDTH = 61, 47
COPIES = 24  # bytes that a pixel may take: some copies of 8-bit levels, of which Pillow stores four, and of the map


@pytest.fixture
def levels():
    return torch.randint(0, 256, (1, 3, HEIGHT, WIDTH), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture(params=[WIDTH // 2, 3 * WIDTH, HEIGHT * WIDTH])
def small_strips(request, monkeypatch):
    """Strips of one row, of three, and of all."""
    monkeypatch.setattr(interpret.strips, "STRIP", request.param)


def test_strips_are_all_rows_once(small_strips):
    assert [row for rows in strips(HEIGHT, WIDTH) for row in range(HEIGHT)[rows]] == list(range(HEIGHT))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("resize", [None, 20, 90])
def test_levels_are_resized_as_the_whole_picture_is(levels, small_strips, interpolation, resize):
    geometry = fit((HEIGHT, WIDTH), (16, 12), resize, interpolation)
    assert torch.equal(inputs_of(levels, geometry), geometry.apply(from_levels(levels)))
    assert torch.equal(inputs_of(from_levels(levels), geometry), geometry.apply(from_levels(levels)))
    places = torch.arange(HEIGHT * WIDTH).view(1, HEIGHT, WIDTH)
    assert torch.equal(geometry.part_seen(places).flatten(), places[0][geometry.seen()])


def test_maps_are_laid_back_with_their_graph(monkeypatch):
    coarse = torch.rand(2, 1, 4, 3, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(2, 1, HEIGHT, WIDTH, dtype=torch.float64)
    geometry = fit((HEIGHT, WIDTH), (16, 12), 20)

    def laid():
        maps = geometry.undo(coarse)
        return maps, *torch.autograd.grad((maps * weights).sum(), coarse)

    whole = laid()
    monkeypatch.setattr(interpret.strips, "STRIP", 5 * WIDTH)
    torch.testing.assert_close(laid(), whole)


def test_levels_have_the_hash_of_their_brightness(levels, small_strips):
    assert pixels_hash(levels) == pixels_hash(from_levels(levels)) != pixels_hash(from_levels(levels.flip(-1)))
    assert torch.equal(in_unit_range(levels.permute(0, 1, 3, 2)), from_levels(levels.permute(0, 1, 3, 2)))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "P", "PA", "1", "CMYK", "YCbCr", "LAB", "HSV"])
def test_a_picture_of_any_mode_is_read_in_strips(levels, monkeypatch, mode):
    colours = Image.fromarray(levels[0].permute(1, 2, 0).numpy())
    if mode == "LAB":
        picture = Image.frombytes("LAB", colours.size, colours.tobytes())
    elif mode in ("LA", "RGBA"):
        picture = colours.convert(mode)
        picture.putalpha(colours.convert("L"))
    else:
        picture = colours.convert("P").convert("PA") if mode == "PA" else colours.convert(mode)
    whole = read(picture)
    monkeypatch.setattr(interpret.strips, "STRIP", 5 * WIDTH)
    assert torch.equal(read(picture), whole)
    assert read_stored(picture).dtype == torch.uint8


@pytest.mark.parametrize("signed", [False, True])
def test_maps_are_drawn_as_in_one_piece(levels, small_strips, signed):
    image, attribution = from_levels(levels), torch.linspace(-1.0 * signed, 2, HEIGHT * WIDTH).view(1, 1, HEIGHT, WIDTH)
    seen = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    seen[10:50, 5:] = True

    def drawn():
        pictures = (
            overlay(image, attribution, seen=seen),
            heatmap(attribution, seen=seen),
            own_colours(image, seen=seen),
        )
        return [np.asarray(picture).astype(int) for picture in pictures]

    strip = drawn()
    interpret.strips.STRIP = HEIGHT * WIDTH  # the fixture puts it back
    for one, other in zip(strip, drawn(), strict=True):
        assert abs(one - other).max() <= 1  # of 255, by rounding
    np.testing.assert_allclose(luma(levels), luma(image))


def test_extremes_are_found_without_copies():
    assert largest_of(torch.tensor([1.0, -3.0, 2.0])) == 3
    assert largest_of(torch.tensor([float("nan"), float("-inf"), 2.0])) == 2
    assert largest_of(torch.zeros(0)) == limit_of(torch.zeros(0)) == 0
    assert limit_of(torch.tensor([1.0, -3.0]), torch.zeros(0)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("command", ["gradcam", "saliency"])
def test_a_large_photo_takes_few_copies(tmp_path, command):
    sizes = (300, 200), (5000, 4000)
    peaks = []
    for size in sizes:
        file = photo(tmp_path / f"{size[0]}.jpg", size)
        peaks.append(command_peak(command, file, *MODEL, "-o", tmp_path / "map.png"))
    pixels = np.prod(sizes[1]) - np.prod(sizes[0])
    assert (peaks[1] - peaks[0]) / pixels <= (COPIES if command == "gradcam" else 2 * COPIES)
