"""Nothing that is there already is lost: inputs, namesakes, and what an earlier run made."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.command import CAT, TINY, interp, stored

ROSE = (*TINY, "-c", "rose")


@pytest.fixture
def namesakes(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(CAT, tmp_path / folder / "cat.jpg")
    with Image.open(CAT) as photo:
        photo.save(tmp_path / "a" / "cat.png")
    (tmp_path / "a" / "Cat.JPG").write_bytes(CAT.read_bytes())


def test_namesakes_do_not_overwrite_each_other(namesakes):
    for given in (["a", "b"], ["a/cat.jpg", "b/cat.jpg", "a/cat.png"], ["a", "a/cat.png", "b/cat.jpg"], [".", "-r"]):
        run = interp("gradcam", *given, *ROSE, "-o", "out")
        sources = [stored(path)["picture"] for path in run.paths]
        assert len(set(run.paths)) == len(set(sources)) == run.out.count("\n") >= 3
        assert len({str(path).casefold() for path in run.paths}) == len(run.paths)
        shutil.rmtree("out")


def test_a_picture_given_twice_is_one_picture(namesakes):
    assert interp("gradcam", "a/cat.jpg", "a/cat.jpg", *ROSE).out.count("\n") == 1


def test_an_input_is_never_overwritten(namesakes, tmp_path):
    before = (tmp_path / "a" / "cat.png").read_bytes()
    (tmp_path / "link.png").symlink_to("a/cat.png")
    for place in ("a/cat.png", "a/../a/cat.png", tmp_path / "a" / "cat.png", "link.png"):
        run = interp("gradcam", "a/cat.png", *ROSE, "-o", place)
        assert run.status == 1
        assert run.err == f"Error: {place} is one of the pictures read; it is not overwritten\n"
    assert (tmp_path / "a" / "cat.png").read_bytes() == before


def test_what_exists_is_made_anew_unless_told_otherwise():
    interp("gradcam", CAT, *ROSE)
    interp("gradcam", CAT, *ROSE, "--seed", 3)
    assert stored("cat_gradcam_rose.png")["seed"] == 3


def test_no_clobber_resumes(namesakes):
    first = interp("gradcam", "a", *ROSE, "-o", "out")
    gone, *kept = first.paths
    gone.unlink()
    times = [path.stat().st_mtime_ns for path in kept]
    second = interp("gradcam", "a", *ROSE, "-o", "out", "--no-clobber")
    assert (second.status, second.out) == (0, first.out)
    assert gone.exists()
    assert [path.stat().st_mtime_ns for path in kept] == times


CHANGES = {
    "options": ["--no-relu"],
    "seed": ["--seed", "1"],
    "display": ["--view", "heatmap"],
    "explained": ["--score", "log-probability"],
    "preprocessing": [],  # that of a network made for darker pictures, with the same weights
}


@pytest.mark.parametrize("changed", CHANGES)
def test_no_clobber_refuses_what_was_made_otherwise(tmp_path, changed):
    interp("gradcam", CAT, *ROSE)
    before = (tmp_path / "cat_gradcam_rose.png").read_bytes()
    network = ("-m", "tests.command:dark_flowers") if changed == "preprocessing" else TINY
    run = interp("gradcam", CAT, *network, "-c", "rose", *CHANGES[changed], "--no-clobber")
    assert run.status == 1
    other = "other options" if changed == "options" else f"another {changed}"
    assert run.err == f"Error: cat_gradcam_rose.png was made with {other} and is left alone; write elsewhere with -o\n"
    assert (tmp_path / "cat_gradcam_rose.png").read_bytes() == before


def test_no_clobber_tells_namesakes_apart(namesakes):
    interp("gradcam", "a/cat.jpg", *ROSE)
    assert interp("gradcam", "b/cat.jpg", *ROSE, "--no-clobber").status == 0  # the same pixels
    Image.new("RGB", (50, 50)).save("b/cat.jpg")
    run = interp("gradcam", "b/cat.jpg", *ROSE, "--no-clobber")
    assert run.status == 1
    assert "another picture" in run.err


def test_no_clobber_knows_the_default_layer_by_name():
    interp("gradcam", CAT, *ROSE)
    layer = stored("cat_gradcam_rose.png")["options"]["layer"]
    assert interp("gradcam", CAT, *ROSE, "--layer", layer, "--no-clobber").status == 0


def test_no_clobber_and_a_shared_scale_contradict_each_other():
    run = interp("gradcam", CAT, *ROSE, "--no-clobber", "--scale", "shared")
    assert (run.status, run.err) == (2, "Error: --scale shared needs every map again; leave out --no-clobber\n")


def test_no_clobber_makes_the_raw_map_that_is_missing(tmp_path):
    interp("gradcam", CAT, *ROSE)
    run = interp("gradcam", CAT, *ROSE, "--no-clobber", "--raw")
    assert run.status == 0
    assert (tmp_path / "cat_gradcam_rose.npz").exists()


def test_no_clobber_leaves_what_cannot_say_how_it_was_made(tmp_path):
    (tmp_path / "map.jpg").write_text("kept")
    run = interp("gradcam", CAT, *ROSE, "-o", "map.jpg", "--no-clobber")
    assert (run.status, run.out) == (0, "map.jpg\n")
    assert run.err == "map.jpg does not say how it was made; it is left as it is\n"
    assert (tmp_path / "map.jpg").read_text() == "kept"


@pytest.mark.parametrize("content", [b"PK\x03\x04\r\x00,\xff\n\r", b"\x00\r\n", b'"file', b"a\rb\n"])
def test_a_table_of_bytes_that_are_none_is_refused(content):
    Path("out.npz").write_bytes(content)
    run = interp("attack", "fgsm", "sample:cat", *TINY, "--no-figure", "--csv", "out.npz")
    assert run.status == 2 and run.err.startswith("Error: out.npz") and run.err.count("\n") == 1
    assert Path("out.npz").read_bytes() == content
