"""What counts as the same result: one rule for every command that resumes, caches or indexes."""

import json
import shutil

import pytest
from PIL import Image, PngImagePlugin

from tests.command import CAT, TINY, interp

BARE = ("-m", "tests.command:bare_flowers", "--std", "0.25,0.25,0.25", "--labels", "names.txt")
NAMES = "rose\ntulip\ndaisy\npoppy\nwater lily\n"


@pytest.fixture(autouse=True)
def _names(tmp_path):
    (tmp_path / "names.txt").write_text(NAMES)


def made_with_another_torch(path):
    """The same file, as an earlier version of the software would have written it."""
    with Image.open(path) as picture:
        picture.load()
        about = json.loads(picture.text["interp"])
    about["versions"]["torch"] = "2.0.0"
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("interp", json.dumps(about))
    picture.save(path, pnginfo=chunks)


COMMANDS = {
    "gradcam": ("gradcam", CAT, "-c", "rose", "-o", "made"),
    "attack fgsm": ("attack", "fgsm", CAT, "--eps", "4lv", "-o", "made", "--no-figure"),
}


@pytest.mark.parametrize("line", COMMANDS.values(), ids=COMMANDS)
def test_a_run_goes_on_after_an_upgrade(line):
    (path,) = interp(*line, *TINY).paths
    made_with_another_torch(path)
    before = path.stat().st_mtime_ns
    again = interp(*line, *TINY, "--no-clobber")
    assert again.status == 0, again.err
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("line", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    "change", [("--mean", "0.4,0.5,0.5"), ("--input-size", "48"), ("--precision", "bf16")], ids=lambda words: words[0]
)
def test_another_preprocessing_is_another_result(line, change):
    same = (*line, *BARE, "--mean", "0.5,0.5,0.5", "--input-size", "32")
    assert interp(*same).status == 0
    other = interp(*same, *change, "--no-clobber")
    assert other.status in (1, 2) and "preprocessing" in other.err


def test_an_index_of_another_precision_is_another_index():
    line = ("top-activations", CAT, "--layer", "relu#2", "--channel", "0", *TINY)
    assert "scanned 1 of 1" in interp(*line).err
    assert "scanned 0 of 1" in interp(*line).err
    assert "scanned 1 of 1" in interp(*line, "--precision", "bf16").err


def folder_of(form):
    """Four small pictures of two classes, in one of the forms that a data set has."""
    whole = Image.open(CAT).resize((160, 160))
    places = {
        "folders": ["set/rose/0.png", "set/rose/1.png", "set/daisy/0.png", "set/daisy/1.png"],
        "train and test": [f"set/{part}/{name}/0.png" for part in ("train", "test") for name in ("rose", "daisy")],
        "train alone": [
            "set/train/rose/0.png",
            "set/train/rose/1.png",
            "set/train/daisy/0.png",
            "set/train/daisy/1.png",
        ],
        "table": [f"set/{number}.png" for number in range(4)],
        "numbers": [f"set/{number % 2 * 2:04d}_{number}.png" for number in range(4)],
    }[form]
    for number, place in enumerate(places):
        whole.crop((8 * number, 0, 8 * number + 64, 64)).save(made(place))
    if form == "table":
        rows = [f"{number}.png,{('rose', 'daisy')[number % 2]}" for number in range(4)]
        made("set/labels.csv").write_text("\n".join(["file,label", *rows]))


def made(place):
    from pathlib import Path

    Path(place).parent.mkdir(parents=True, exist_ok=True)
    return Path(place)


@pytest.mark.parametrize("form", ["folders", "train and test", "train alone", "table", "numbers"])
def test_a_labelled_folder_means_the_same_everywhere(form):
    folder_of(form)
    half = form == "train and test"
    evaluated = interp("evaluate", "accuracy", "set", "--json", *TINY)
    assert evaluated.status == 0 and json.loads(evaluated.out)["count"] == (2 if half else 4), evaluated.err
    trained = interp(
        "train", "set", "--network", "linear", "--size", "8", "--epochs", "1", "--validation", "0.4", "--json", "-q"
    )
    if half:
        assert "can be set aside" in trained.err  # one picture a class is too few
    else:
        assert trained.status == 0 and len(trained.out.splitlines()) == 2, trained.err
        again = interp("evaluate", "accuracy", "set", "--json", "-m", "set-fast/last.pt")
        assert again.status == 0 and json.loads(again.out)["count"] == 4, again.err
    shutil.rmtree("set-fast", ignore_errors=True)
    gridded = interp("grid", "set", "--no-cache", *TINY)
    assert gridded.status == 0, gridded.err
    found = interp("top-activations", "set", "--layer", "relu#2", "--channel", "0", *TINY)
    assert "scanned 4 of 4" in found.err, found.err
