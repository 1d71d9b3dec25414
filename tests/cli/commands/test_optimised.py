"""`interp dream`, `interp style` and `interp invert`: what they take, write and refuse."""

import shutil
import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence

from cli.commands.optimised import write_animation
from interpret import deep_dream
from interpret.drawing import deep_dream as module
from interpret.images.animation import frames_of
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

    monkeypatch.setattr(module, "dream", interrupted)
    path = tmp_path / "dream.png"
    assert interp("dream", "sample:cat", *TINY, "--size", 48, "-o", path).status == 130
    assert path.exists()


def frames_in(path):
    with Image.open(path) as film:
        return [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_film_of_the_frames_of_a_folder(tmp_path, suffix):
    (tmp_path / "frames").mkdir()
    for number, level in enumerate((40, 200, 200)):
        Image.new("RGB", (48, 32), (level,) * 3).save(tmp_path / "frames" / f"{number}.png")
    (tmp_path / "frames" / "1.jpg").write_bytes(b"junk")
    words = ("dream", "frames", *TINY, "--octaves", 1, "--steps", 1, "--step-size", 1e-6, "--film", f"film{suffix}")
    ran = interp(*words)
    assert ran.status == 1 and "1.jpg" in ran.err and [path.name for path in ran.paths] == [f"film{suffix}"], ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["frames", f"film{suffix}"]
    # Half of each dream is the frame, half the dream before it: 40, 120, 160.
    for frame, level in zip(frames_in(f"film{suffix}"), (40, 120, 160), strict=True):
        assert abs(frame.mean() - level) < 3
    assert interp(*words, "--gif", "a.gif").status == interp(*words, "-o", "a.png").status == 2
    assert interp(*words[:-1], "film.png").status == interp(*words, "--blend", 1).status == 2


def test_a_film_of_an_animated_picture():
    write_animation("way.gif", [Image.new("RGB", (40, 32), (level,) * 3) for level in (0, 255)])
    words = ("dream", "way.gif", *TINY, "--octaves", 1, "--steps", 1, "--step-size", 1e-6, "--film", "film.gif")
    assert interp(*words, "--blend", 0).status == 0
    assert [round(frame.mean() / 255) for frame in frames_in("film.gif")] == [0, 1]


def test_a_film_as_mp4(tmp_path):
    pytest.importorskip("av")
    write_animation("way.mp4", [Image.new("RGB", (41, 32), (level,) * 3) for level in (40, 200)])
    before = list(frames_of("way.mp4"))
    assert [tuple(frame.shape) for frame in before] == [(1, 3, 32, 42)] * 2  # of even sides
    words = ("dream", "way.mp4", *TINY, "--octaves", 1, "--steps", 1, "--step-size", 1e-6, "--film", "film.mp4")
    ran = interp(*words)
    assert ran.status == 0 and [path.name for path in ran.paths] == ["film.mp4"], ran.err
    for frame, level in zip(frames_of("film.mp4"), (40, 120), strict=True):
        assert abs(255 * frame.mean() - level) < 4
    (tmp_path / "junk.mp4").write_bytes(b"junk")
    assert interp(words[0], "junk.mp4", *words[2:]).status == 1
    assert interp("dream", "sample:cat", *words[2:-2], "--size", 32, "--gif", "way.mp4").status == 0


def test_an_mp4_without_its_package_is_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)  # as where it is not installed
    for words in (["sample:cat", "--gif", "way.mp4"], ["sample:cat", "--film", "film.mp4"]):
        ran = interp("dream", *words, *TINY)
        assert ran.status == 2 and "pip install 'interp[video]'" in ran.err and len(ran.err.splitlines()) == 1, ran.err
    (tmp_path / "film.mp4").write_bytes(b"junk")
    assert "interp[video]" in interp("dream", "film.mp4", *TINY, "--film", "dream.gif").err


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
