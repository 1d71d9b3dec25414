"""--crop: what a network sees of a picture, in every command that looks at some."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import interpret
from tests.command import TINY, flowers, interp, stored

OTHER = "tests.command:dark_flowers"
NOT_THERE = ("-m", "tests.command:no_such_network")


@pytest.fixture
def wide(cat):
    """A picture three times as wide as it is high."""
    name = "wide.png"
    interpret.write(name, cat[..., 100:148, :144])
    return name


@pytest.mark.parametrize("crop", ["centre", "none", "tiles"])
@pytest.mark.parametrize("method", ["gradcam", "saliency"])
def test_the_shell_and_python_give_the_same_map(wide, crop, method):
    run = interp(method, wide, *TINY, "-c", "rose", "--crop", crop, "-o", "map.npz")
    assert run.status == 0, run.err
    classifier, image = flowers(), interpret.read(wide)
    classifier.crop = crop
    found = np.load("map.npz")
    expected = getattr(interpret, method)(classifier, image, 0)[0].numpy()
    np.testing.assert_allclose(found["attribution"], expected, rtol=1e-4, atol=1e-7)
    assert found["seen"].all() == (crop != "centre")


@pytest.mark.parametrize("crop", ["centre", "none", "tiles"])
def test_predictions(wide, crop):
    run = interp("predict", wide, *TINY, "--crop", crop, "--json")
    classifier = flowers()
    classifier.crop = crop
    assert json.loads(run.out)["top"] == interpret.predict(classifier, interpret.read(wide))[0]


def test_a_result_says_how_it_was_seen_and_is_not_taken_for_another(wide):
    assert interp("gradcam", wide, *TINY, "--crop", "none", "-o", "map.png").status == 0
    assert stored("map.png")["preprocessing"]["crop"] == "none"
    run = interp("gradcam", wide, *TINY, "--crop", "tiles", "-o", "map.png", "--no-clobber")
    assert run.status == 1 and "with another preprocessing" in run.err
    assert interp("gradcam", wide, *TINY, "--crop", "none", "-o", "map.png", "--no-clobber").status == 0
    assert interp("gradcam", wide, *TINY, "-o", "usual.png").status == 0
    assert "crop" not in stored("usual.png")["preprocessing"]


def test_a_folder_of_many_shapes_is_seen_in_tiles(wide):
    Path("photos").mkdir()
    for number, size in enumerate([(48, 48), (48, 120), (120, 48), (32, 32)]):
        Image.open(wide).resize(size).save(f"photos/{number}.png")
    run = interp("saliency", "photos", *TINY, "--crop", "tiles", "-o", "out")
    assert run.status == 0 and len(run.paths) == 4
    alone = interp("saliency", "photos/1.png", *TINY, "--crop", "tiles", "-o", "alone.png")
    assert alone.status == 0
    (same,) = (path for path in run.paths if path.name.startswith("1_"))
    assert np.array_equal(np.asarray(Image.open(same)), np.asarray(Image.open("alone.png")))


def test_the_pixels_of_the_input_are_those_of_all_tiles(wide):
    assert interp("gradcam", wide, *TINY, "--crop", "tiles", "--size", "model", "-o", "map.npy").status == 0
    assert np.load("map.npy").shape[-2:] == (32, 96)


def test_a_grid_and_its_cache(wide):
    words = ("grid", wide, *TINY, "--methods", "gradcam,saliency", "--cache", "maps", "-o")
    kept = []
    for crop in ("centre", "none", "tiles"):
        run = interp(*words, f"{crop}.png", "--crop", crop)
        assert run.status == 0, run.err
        kept.append(len(list(Path("maps").rglob("*.npz"))))
    assert kept[0] < kept[1] < kept[2]
    heights = []
    for crop in ("centre", "none", "tiles"):
        with Image.open(f"{crop}.png") as drawn:
            heights.append(drawn.height)
    assert heights[2] == heights[1] < heights[0]  # a panel has the shape of what is seen of the picture


def test_an_attack_is_judged_as_it_was_made(wide):
    run = interp("attack", "fgsm", wide, *TINY, "--eps", "16lv", "--crop", "tiles", "-o", "other.png", "--no-figure")
    assert run.status == 0, run.err
    assert stored("other.png")["preprocessing"]["crop"] == "tiles"
    changed = np.asarray(Image.open("other.png")).astype(int) != np.asarray(Image.open(wide)).astype(int)
    assert not changed.any() or changed[:, :4].any() and changed[:, -4:].any()


def test_another_network_judges_as_it_sees(wide):
    words = (
        "attack",
        "fgsm",
        wide,
        *TINY,
        "--eps",
        "16lv",
        "--no-figure",
        "--json",
        "--judge",
        "tests.command:dark_flowers",
    )
    for crop in ("none", "tiles"):
        run = interp(*words, "--crop", crop, "-o", f"{crop}.png")
        assert run.status == 0 and OTHER in json.loads(run.out)["judges"], run.err


def test_a_map_is_smoothed_in_tiles(wide):
    run = interp("gradcam", wide, *TINY, "--crop", "tiles", "--smooth", "2", "-o", "map.npz")
    assert run.status == 0, run.err
    found = np.load("map.npz")
    assert found["seen"].all() and found["attribution"].any()


def test_a_report_says_how_it_sees_and_repeats_it(wide):
    run = interp("report", wide, *TINY, "--crop", "tiles", "--methods", "gradcam", "--no-attack", "-o", "r.html")
    assert run.status == 0, run.err
    page = Path("r.html").read_text()
    assert "overlapping tiles of the input" in page and "centre crop" not in page and "not checked" not in page
    assert "--crop tiles" in page


@pytest.mark.parametrize(
    "words",
    [
        ("units", "sample:cat", "-c", "rose"),
        ("activations", "sample:cat"),
        ("invert", "sample:cat"),
        ("dream", "sample:cat"),
        ("visualize", "rose"),
        ("top-activations", "photos", "--layer", "conv1", "--channel", "0"),
        ("attack", "explanation", "sample:cat"),
        ("attack", "universal"),
        ("evaluate", "robustness", "photos"),
    ],
)
def test_where_a_picture_must_be_in_one_piece_tiles_are_refused_at_once(words, wide):
    Path("photos/rose").mkdir(parents=True)
    Path(wide).rename("photos/rose/a.png")
    run = interp(*words, *NOT_THERE, "--crop", "tiles")
    assert run.status == 2 and "cuts it up; give --crop none or centre" in run.err


@pytest.mark.parametrize("score", [("--score", "pixels"), ("--box", "1,1,9,9"), ("--unit", "conv1:0@1,1")])
def test_scores_of_places_are_refused_in_tiles_before_the_network_is_loaded(score, wide):
    about = () if score[0] == "--unit" else ("-c", "rose")
    run = interp("gradcam", wide, *NOT_THERE, *about, *score, "--crop", "tiles")
    assert run.status == 2 and "place" in run.err and "no_such_network" not in run.err


def test_another_word_is_refused(wide):
    run = interp("gradcam", wide, *NOT_THERE, "--crop", "corners")
    assert run.status == 2 and "'corners' is not one of 'centre', 'none', 'tiles'" in run.err


def test_options_can_stand_in_the_file(wide):
    Path("interp.toml").write_text('crop = "none"\n')
    run = interp("gradcam", wide, *TINY, "-o", "map.png")
    assert run.status == 0 and stored("map.png")["preprocessing"]["crop"] == "none", run.err
