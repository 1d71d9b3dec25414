"""What is written, where, and in which format."""

import io
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import interpret
from interpret.network.fingerprint import fingerprint
from tests.command import CAT, SQUEEZE, TINY, flowers, interp, stored

ROSE = (*TINY, "-c", "rose")


@pytest.fixture
def folder(tmp_path):
    """Two pictures that differ, one more in a folder inside, and what is none."""
    inside = tmp_path / "photos" / "inside"
    inside.mkdir(parents=True)
    shutil.copy(CAT, tmp_path / "photos" / "cat.jpg")
    Image.new("RGB", (60, 40), "teal").save(tmp_path / "photos" / "plain.png")
    shutil.copy(CAT, inside / "cat.jpg")
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return tmp_path / "photos"


def test_one_picture_is_written_to_the_current_folder():
    run = interp("gradcam", CAT, *ROSE)
    assert (run.status, run.out, run.err) == (0, "cat_gradcam_rose.png\n", "")
    with Image.open("cat_gradcam_rose.png") as drawn, Image.open(CAT) as photo:
        assert drawn.size == photo.size
    assert os.listdir() == ["cat_gradcam_rose.png"]


def test_several_pictures_are_written_to_a_folder_of_their_own(folder):
    run = interp("gradcam", folder, *ROSE)
    assert run.out.splitlines() == ["interp-out/cat_gradcam_rose.png", "interp-out/plain_gradcam_rose.png"]
    deep = interp("gradcam", folder, "-r", *ROSE)
    assert deep.out.splitlines() == [
        "interp-out/cat_gradcam_rose.png",
        "interp-out/inside/cat_gradcam_rose.png",
        "interp-out/plain_gradcam_rose.png",
    ]
    assert all(path.exists() for path in deep.paths)


def test_results_are_not_the_next_run_s_pictures(folder, monkeypatch):
    monkeypatch.chdir(folder)
    first = interp("gradcam", ".", "-r", *ROSE)
    assert interp("gradcam", ".", "-r", *ROSE).out == first.out


def test_globs(folder):
    assert interp("gradcam", "photos/*.[jp]*g", *ROSE).out.count("\n") == 2
    assert interp("gradcam", "photos/**/cat.jpg", *ROSE).out.count("\n") == 2


def test_standard_input_and_output():
    run = interp("gradcam", "-", *ROSE, "-o", "-", stdin=CAT.read_bytes())
    with Image.open(io.BytesIO(run.raw)) as drawn:
        assert drawn.format == "PNG"
    assert os.listdir() == []
    assert interp("gradcam", "-", *ROSE, stdin=CAT.read_bytes()).out == "stdin_gradcam_rose.png\n"


@pytest.mark.parametrize("target", ["new", "new/", "v1.2/", "made", "made.png"])
def test_output_folders(tmp_path, target):
    for made in ("made", "made.png"):
        (tmp_path / made).mkdir()
    run = interp("gradcam", CAT, *ROSE, "-o", target)
    assert run.out == f"{target.rstrip('/')}/cat_gradcam_rose.png\n"


KINDS = {"png": b"\x89PNG", "jpg": b"\xff\xd8", "jpeg": b"\xff\xd8", "webp": b"RIFF", "pdf": b"%PDF", "npy": b"\x93NUM"}


@pytest.mark.parametrize("view", ["overlay", "side-by-side"])
@pytest.mark.parametrize("suffix", [*KINDS, "svg", "npz", "PNG"])
def test_formats(tmp_path, suffix, view):
    path = tmp_path / f"map.{suffix}"
    run = interp("gradcam", CAT, *ROSE, "-o", path, "--view", view)
    assert run.out == f"{path}\n", run.err
    content = path.read_bytes()
    assert content.startswith(KINDS.get(suffix.lower(), b""))
    if suffix.lower() in ("png", "jpg", "webp"):
        with Image.open(path) as drawn:
            drawn.load()
            assert drawn.width > 200
            assert np.asarray(drawn).std() > 5
    elif suffix == "svg":
        assert re.search(rb"<svg[\s>]", content) and content.rstrip().endswith(b"</svg>")


def test_raw_maps_are_the_numbers_that_python_gives():
    classifier, image = flowers().eval(), interpret.read(CAT)
    expected = interpret.gradcam(classifier, image, 0)[0].numpy()
    interp("gradcam", CAT, *ROSE, "-o", "map.npy")
    np.testing.assert_allclose(np.load("map.npy"), expected, rtol=1e-5)
    interp("gradcam", CAT, *ROSE, "-o", "map.npz")
    with np.load("map.npz") as arrays:
        np.testing.assert_allclose(arrays["attribution"], expected, rtol=1e-5)
        np.testing.assert_array_equal(arrays["seen"], classifier.prepare(image)[1].seen())
        assert json.loads(str(arrays["about"]))["command"] == "gradcam"


def test_png_says_how_it_was_made():
    run = interp("gradcam", "sample:cat", "-c", "cat", *SQUEEZE, "--seed", 7, "--json")
    about = json.loads(run.out)
    assert about.pop("path") == "cat_gradcam_cat.png"
    assert about == stored("cat_gradcam_cat.png")
    squeezenet = interpret.load("squeezenet1_1")
    expected = {
        "command": "gradcam",
        "model": "squeezenet1_1",
        "weights": "published",
        "weights_hash": fingerprint(squeezenet.network),
        "class": "cat",
        "seed": 7,
        "picture": "sample:cat",
        "versions": {"interp": interpret.__version__, "torch": torch.__version__},
    }
    assert about.items() >= expected.items()
    layer = interpret.default_layer(squeezenet.network, torch.rand(1, 3, 224, 224))
    assert about["options"] == {"layer": layer, "relu": True}


def test_vector_files_say_how_they_were_made():
    interp("gradcam", CAT, *ROSE, "-o", "map.svg")
    interp("gradcam", CAT, *ROSE, "-o", "map.pdf")
    assert b"weights_hash" in Path("map.svg").read_bytes()
    assert b"weights_hash" in Path("map.pdf").read_bytes()


def test_a_shared_scale_gives_equal_values_equal_colours():
    views = ("--view", "heatmap", "--no-relu")
    interp("gradcam", CAT, "sample:kitten", *ROSE, *views, "--scale", "shared", "-o", "shared")
    for name in ("cat", "kitten"):
        interp("gradcam", f"sample:{name}", *ROSE, *views, "-o", f"{name}.npy")
    maps = [torch.tensor(np.load(f"{name}.npy"))[None] for name in ("cat", "kitten")]
    limit = interpret.limit_of(*maps)
    for name, attribution in zip(("cat", "kitten"), maps, strict=True):
        expected = interpret.heatmap(attribution, limit=limit)
        with Image.open(f"shared/{name}_gradcam_rose.png") as drawn:
            # In a batch, sums may end a rounding apart.
            different = np.abs(np.asarray(drawn).astype(int) - np.asarray(expected)) > 1
        seen = flowers().prepare(interpret.read(f"sample:{name}"))[1].seen().numpy()
        assert not different[seen].any()
    assert stored("shared/cat_gradcam_rose.png")["display"]["scale"] == "shared"


def test_a_scale_in_the_unit_of_the_map():
    interp("gradcam", CAT, *ROSE, "--scale", "1e9", "--view", "heatmap")
    with Image.open("cat_gradcam_rose.png") as drawn:
        seen = flowers().prepare(interpret.read(CAT))[1].seen().numpy()
        assert np.ptp(np.asarray(drawn)[seen], axis=0).max() == 0  # nothing comes near such a value
