"""`interp concepts` and `interp tcav`, from folders to a figure, numbers and a table."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

import interpret
from tests.command import interp
from tests.interpret.concepts.planted import SQUARE, shapes

OWN = ("-m", "planted:network")
CODE = "from tests.interpret.concepts.planted import network"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "planted.py").write_text(CODE)
    images, kinds, _ = shapes(24, 7)
    for name, chosen in (
        ("squares", images[kinds == SQUARE]),
        ("tags", shapes(12, 11, tagged=True)[0]),
        ("plain", shapes(30, 12, tagged=False)[0]),
    ):
        (tmp_path / name).mkdir()
        for number, image in enumerate(chosen):
            pixels = (image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return tmp_path


def test_concepts_are_drawn_and_their_numbers_kept(folders):
    options = ("--concepts", "3", "--draws", "4", "--steps", "2", "--show", "2", *OWN)
    run = interp("concepts", "squares", "-c", "square", *options, "--json", "-o", "found.png")
    assert run.status == 0, run.err
    about = json.loads(run.out)
    assert about["class"] == "square" and about["layer"] == "5" and len(about["concepts"]) == 3
    falls = [row["fall"] for row in about["concepts"]]
    assert falls == sorted(falls, reverse=True) and "concept 1: without it square falls by" in run.err
    assert interpret.read("found.png").shape[3] > 500 and "8 of 8 pictures are seen as square" in run.err
    run = interp("concepts", "squares", *options, "-o", "found.npz")  # of what most are seen as
    kept = np.load("found.npz")
    assert run.status == 0 and kept["directions"].shape == (3, 24) and kept["maps_0"].shape == (3, 8, 8)
    assert kept["falls"].tolist() == pytest.approx(falls, rel=1e-3, abs=1e-3)
    for words, said in (
        (("-c", "disk"), "none of the 8 pictures is seen as disk"),
        (("-c", "disc"), "did you mean"),
        (("--crop-side", "0"), "Invalid value for '--crop-side'"),
        (("--layer", "x"), "no layer 'x'"),
        (("--concepts", "40"), "no 40 concepts"),
    ):
        run = interp("concepts", "squares", *OWN, *words)
        assert run.status == 2 and said in run.err, run.err
    assert interp("concepts", "squares", "-c", "disk", "--all", *options, "-o", "all.npy").status == 0


def test_own_concepts_are_tested(folders):
    words = ("tcav", "squares", "--random", "plain", "--runs", "8", *OWN)
    run = interp(*words, "-c", "square", "--concept", "tags", "--csv", "table.csv")
    assert run.status == 0, run.err
    assert run.out.startswith("tags ") and "by chance" in run.out and run.out.count("\n") == 1
    with open("table.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["concept"] == "tags" and float(row["share"]) > float(row["by_chance"])
    run = interp(*words, "-c", "square", "--concept", "tags", "--json")
    assert json.loads(run.out)["p"] == pytest.approx(float(row["p"]))
    for more, said in (
        (("--concept", "tags"), "which class? say -c CLASS"),
        (("-c", "square"), "Missing option '--concept'"),
        (("-c", "square", "--concept", "none"), "none"),
        (("-c", "square", "--concept", "tags/0.png"), "at least 2 of"),
    ):
        run = interp(*words, *more)
        assert run.status == 2 and said in run.err, run.err
