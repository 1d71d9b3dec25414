"""`interp dream`, `interp style` and `interp invert`: what they take, write and refuse."""

import shutil

import pytest

from interpret import deep_dream
from interpret.drawing import deep_dream as module
from tests.command import CAT, TINY, interp, stored


def test_dream(tmp_path):
    words = ("sample:cat", *TINY, "--size", 48, "--octaves", 1, "--steps", 3)
    assert interp("dream", *words, "--gif", "way.gif").paths[0].name == "cat_dream.png"
    assert (tmp_path / "way.gif").read_bytes()[:3] == b"GIF"
    assert interp("dream", *words, "-c", "rose", "-o", "rose.png").status == 0
    assert interp("dream", *words, "--layer", "conv2", "--channel", 3, "-o", "three.png").status == 0
    for wrong in (("--layer", "conv7"), ("--layer", "conv2", "--channel", 99), ("--channel", 3), ("--gif", "a.png")):
        assert interp("dream", *words, *wrong).status == 2


def test_ctrl_c_keeps_the_picture_so_far(tmp_path, monkeypatch):
    def interrupted(classifier, image, objective, *, watch, **options):
        deep_dream(classifier, image, octaves=1, steps=1, watch=watch)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "deep_dream", interrupted)
    path = tmp_path / "dream.png"
    assert interp("dream", "sample:cat", *TINY, "--size", 48, "-o", path).status == 130
    assert path.exists()


def test_style():
    words = ("style", "sample:cat", "sample:painting-night-cafe", *TINY, "--size", 48, "--steps", 2)
    assert interp(*words).paths[0].name == "cat_style.png"
    assert interp(*words, "--preserve-color", "--layer", "conv1", "-o", "a.png").status == 0
    assert interp(*words, "--style-weights", "1,2").status == 2
    assert interp(*words, "--content-layer", "conv9").status == 2


@pytest.mark.parametrize("command", ["style", "dream"])
def test_all_photos_of_a_folder(tmp_path, command):
    (tmp_path / "photos").mkdir()
    for name in ("a", "b"):
        shutil.copy(CAT, tmp_path / "photos" / f"{name}.jpg")
    (tmp_path / "photos" / "bad.jpg").write_bytes(b"junk")
    more = ("sample:painting-night-cafe", "--style-scale", 0.5) if command == "style" else ("--octaves", 1)
    words = (command, "photos", *more, *TINY, "--size", 48, "--steps", 1)
    ran = interp(*words)
    assert ran.status == 1 and [path.name for path in ran.paths] == [f"a_{command}.png", f"b_{command}.png"], ran.err
    assert ran.err.count("Error: photos/bad.jpg") == 1
    assert interp(*words, "--gif", "a.gif").status == 2


def test_style_in_a_region_and_from_a_picture():
    words = ("style", "sample:cat", "sample:painting-night-cafe", *TINY, "--size", 48, "--steps", 1)
    ran = interp(*words, "--mask", "sample:koala", "--init", "sample:painting-cafe-terrace")
    assert ran.status == 0 and stored(ran.paths[0])["options"]["mask"] == "sample:koala", ran.err
    assert interp(*words, "--init", "sample:cat", "--start", "noise").status == 2
    assert interp(*words, "--mask", "missing.png").status == 2


def test_invert():
    assert interp("invert", "sample:cat", *TINY, "--steps", 3).paths[0].name == "cat_invert.png"
    assert interp("invert", "sample:cat", *TINY, "--layer", "conv2", "--steps", 2, "-o", "one.png").status == 0
    assert interp("invert", "sample:cat", *TINY, "--layer", "conv7").status == 2
