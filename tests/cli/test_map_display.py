"""How maps look, as the shell asks for it: captions, absent classes, colours, fonts and resolution."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import interpret
from cli.commands.grid.job import picture_labels
from cli.job.sources import Source
from interpret.explainers import unit_of
from interpret.figures.grid_panels import letters_of
from tests.command import CAT, SQUEEZE, TINY, interp, stored

ROSE = (*TINY, "-c", "rose")


def texts(path):
    """Of an SVG file, in which letters are letters."""
    content = Path(path).read_text(encoding="utf-8")
    return [line.strip().replace("\xa0", " ") for line in re.findall(r"<text[^>]*>([^<]*)</text>", content)]


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def pixels_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_a_caption_says_what_the_map_is():
    ran = interp("saliency", CAT, *ROSE, "--caption", "-o", "map.svg")
    assert ran.status == 0, ran.err
    lines = texts("map.svg")
    assert re.fullmatch(r"Saliency: rose 0\.\d\d", lines[0])
    assert re.fullmatch(r"largest -?[\d.e-]+ \(logit of rose per unit of pixel value\)", " ".join(lines[1:]))
    plain, captioned = (interp("gradcam", CAT, *ROSE, *more, "-o", f"{number}.png") for number, more in PLAIN)
    sizes = [size_of(run.paths[0]) for run in (plain, captioned)]
    assert sizes[0][0] == sizes[1][0] and sizes[0][1] < sizes[1][1]
    assert stored("1.png")["display"]["caption"] is True


PLAIN = [(0, ()), (1, ("--caption",))]


def test_what_the_network_does_not_see_is_said_to_be_absent():
    words = ("gradcam", "sample:koala", "-c", "toaster", *SQUEEZE)
    ran = interp(*words, "-o", "absent.png")
    assert re.search("toaster has the probability .* far below koala", ran.err)
    assert interp(*words, "--view", "side-by-side", "-o", "absent.svg").status == 0
    assert "Grad-CAM: toaster absent: 0.00" in texts("absent.svg")
    drawn = pixels_of("absent.png")
    ran = interp("gradcam", "sample:koala", "-c", "koala", *SQUEEZE, "-o", "there.png")
    seen = pixels_of("there.png")
    corner = np.s_[-8:, :8]
    assert (drawn[corner] == 0).all() and (seen[corner] > 0).any()
    assert "absent" not in ran.err


def test_a_grid_says_it_too(monkeypatch, tmp_path):
    words = ("grid", "sample:koala", "-c", "toaster", *SQUEEZE, "--no-cache", "-o", "grid.svg")
    assert interp(*words, "--letters").status == 0
    lines = " ".join(texts("grid.svg"))
    assert "toaster absent: 0.00" in lines and "largest" in lines and re.search(r"\ba\b.*\bb\b", lines)
    assert "largest" not in " ".join(texts(interp(*words, "--no-caption").paths[0]))


def test_a_shared_bar_has_a_unit_and_digits():
    words = ("grid", CAT, "sample:koala", "--methods", "saliency", "--scale", "shared", *TINY, "--no-cache")
    assert interp(*words, "-o", "grid.svg").status == 0
    lines = texts("grid.svg")
    assert "logit per unit of pixel value" in " ".join(lines)


def test_dots_to_the_inch_and_the_font():
    words = ("gradcam", CAT, *ROSE, "--view", "side-by-side")
    for dpi in (50, 100):
        assert interp(*words, "--dpi", dpi, "-o", f"{dpi}.png").status == 0
    small, large = (size_of(f"{dpi}.png") for dpi in (50, 100))
    assert abs(large[0] - 2 * small[0]) <= 2
    assert interp(*words, "--font", "DejaVu Serif", "-o", "serif.svg").status == 0
    assert "DejaVu Serif" in Path("serif.svg").read_text()
    interp(*words, "-o", "sans.svg")
    assert "DejaVu Serif" not in Path("sans.svg").read_text()  # it lasts for one command
    ran = interp(*words, "--font", "DejaVu Seriff")
    assert ran.status == 2 and "did you mean 'DejaVu Serif'" in ran.err


@pytest.mark.parametrize("command", [("gradcam",), ("grid", "--no-cache")])
def test_colours_by_name(command):
    words = (command[0], CAT, *ROSE, *command[1:])
    for name in ("viridis", "magma"):
        assert interp(*words, "--colormap", name, "--opacity", 1, "-o", f"{name}.png").status == 0
    assert (pixels_of("viridis.png") != pixels_of("magma.png")).any()
    ran = interp(*words, "--colormap", "virids")
    assert ran.status == 2 and ran.err.startswith("Error: no colormap 'virids'; did you mean 'viridis'")
    assert interp(*words, "--opacity", 0).status == 2


def test_units():
    assert unit_of("gradcam", "logit of cat") == "logit of cat"
    assert unit_of("saliency", "logit of cat") == "logit of cat per unit of pixel value"
    assert unit_of("smoothgrad", "logit", average="squared") == "square of logit per unit of pixel value"
    assert set(interpret.explainers.UNITS) <= set(interpret.explainers.EXPLAINERS)


def test_pictures_of_one_name_are_told_apart_by_their_folders():
    files = ["circle/0.png", "square/0.png", "round/1.png"]
    sources = [Source(file, Path(file), Path(Path(file).name)) for file in files]
    assert picture_labels(sources) == ["circle/0", "square/0", "1"]


def test_a_long_grid_is_wrapped():
    images = {f"picture {number}": torch.rand(1, 3, 16, 16) for number in range(11)}
    classifier = interpret.Classifier(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), *tail()), mean=[0] * 3, std=[1] * 3)
    classifier.eval()
    wide, high = interpret.grid(classifier, images, methods=["saliency"], classes=[0]).get_size_inches()
    assert wide > 7 and high < 15  # two blocks of six rows
    assert [letter for letter, _ in zip(letters_of(), range(28), strict=False)][-2:] == ["aa", "ab"]


def tail():
    return torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 3)
