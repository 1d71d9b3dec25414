"""`interp evaluate`: accuracy, accuracy under attack, and whether that can be believed."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from cli.options.network import ModelOptions
from interpret.errors import UnknownNameError
from tests.cli.evaluate.photos import labelled_pieces
from tests.command import CAT, FLOWERS, TINY, interp, stored


@pytest.fixture
def photos(tmp_path):
    """Eight pieces of a photo, of which the network gets six right."""
    return labelled_pieces(tmp_path / "photos", right=6, wrong=2)


def test_accuracy_with_its_interval(photos):
    ran = interp("evaluate", "accuracy", photos, "--json", *TINY)
    found = json.loads(ran.out)
    assert (found["right"], found["count"], found["share"]) == (6, 8, 0.75)
    assert interp("evaluate", "accuracy", photos, "--fail-under", 80, *TINY).status == 3
    assert interp("evaluate", "accuracy", photos, "--fail-under", 70, *TINY).status == 0
    assert "75.0 %" in interp("evaluate", "accuracy", photos, *TINY).out


def test_a_curve_falls_and_is_written(photos):
    ran = interp("evaluate", "robustness", photos, "--eps", "0,1lv,16lv", "--steps", 5, "--json", *TINY)
    curve = [json.loads(line) for line in ran.out.splitlines()]
    assert [point["eps"] for point in curve] == [0, 1 / 255, 16 / 255] and curve[0]["share"] == 0.75
    assert curve[0]["share"] >= curve[1]["share"] >= curve[2]["share"]
    rows = list(csv.DictReader(Path("interp-out/robustness_pgd.csv").read_text().splitlines()))
    assert len(rows) == 8 and sum(int(row["0"]) for row in rows) == 6
    assert list(stored("interp-out/robustness_pgd.png")["curves"].values())[0][0]["right"] == 6
    assert interp("evaluate", "robustness", photos, "--eps", "64lv", "--fail-under", 50, *TINY).status == 3


def test_an_interrupted_run_goes_on(photos):
    words = ("evaluate", "robustness", photos, "--eps", "0,4lv", "--steps", 3, *TINY)
    whole = interp(*words, "--json").out
    path = Path("interp-out/robustness_pgd.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:4]) + "\n" + lines[4][:-2])  # killed in the middle of a line
    assert interp(*words, "--json", "--no-clobber").out == whole
    assert interp(*words[:3], "--eps", "0,3lv", "--no-clobber", *TINY).status == 2


@pytest.mark.parametrize("names", ["table", "numbers"])
def test_labels_may_stand_elsewhere(photos, tmp_path, names):
    flat = tmp_path / "flat"
    flat.mkdir()
    lines = ["file,label"]
    for number, path in enumerate(sorted(photos.rglob("*.png"))):
        index = FLOWERS.index(path.parent.name)
        name = f"{number}.png" if names == "table" else f"{index:04d}_{number}.png"
        path.rename(flat / name)
        lines.append(f"{name},{path.parent.name}")
    if names == "table":
        (flat / "labels.csv").write_text("\n".join(lines))
    assert json.loads(interp("evaluate", "accuracy", flat, "--json", *TINY).out)["right"] == 6


@pytest.mark.parametrize(
    "words, message",
    [
        (("accuracy", "nowhere"), "no folder"),
        (("robustness", "photos", "--attack", "pdg"), "did you mean 'pgd'"),
        (("robustness", "photos", "--eps", "1,x"), "8lv"),
        (("robustness", "photos", "--attack", "fgsm", "--steps", "3"), "fgsm has no --steps"),
    ],
)
def test_mistakes_are_one_line(photos, words, message):
    ran = interp("evaluate", *words, *TINY)
    assert ran.status == 2 and message in ran.err and len(ran.err.strip().splitlines()) == 1


def test_pictures_without_labels_say_what_is_missing(tmp_path):
    (tmp_path / "bare").mkdir()
    Image.open(CAT).save(tmp_path / "bare" / "cat.png")
    ran = interp("evaluate", "accuracy", "bare", *TINY)
    assert ran.status == 2 and "labels.csv" in ran.err
    (tmp_path / "bare" / "labels.csv").write_text("file,label\ncat.png,rosee\n")
    assert "rose" in interp("evaluate", "accuracy", "bare", *TINY).err


def test_masking_from_the_shell(photos):
    ran = interp("evaluate", "masking", photos, "--queries", 20, *TINY)
    assert ran.status in (0, 3) and "gradient-free" in ran.out and "ordering" in ran.out


def test_several_networks_as_one_are_known_by_their_names():
    ModelOptions(model="squeezenet1_1 + efficientnet_lite0").check_name()
    with pytest.raises(UnknownNameError, match="no network 'squeezenet'"):
        ModelOptions(model="efficientnet_lite0 + squeezenet").check_name()


def test_networks_are_compared(photos):
    words = ("evaluate", "robustness", photos, "--eps", "0,8lv", "--steps", 3, "--json")
    ran = interp(*words, "--compare", "tests.command:dark_flowers", *TINY)
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.status == 0 and [row["model"] for row in rows] == [TINY[1]] * 2 + ["tests.command:dark_flowers"] * 2
    assert len(list(Path("interp-out").glob("robustness_pgd_*.csv"))) == 2
    assert len(stored("interp-out/robustness_pgd.png")["curves"]) == 2
    alone = [json.loads(line) for line in interp(*words, *TINY).out.splitlines()]
    assert alone == rows[:2]
