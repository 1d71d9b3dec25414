"""`interp evaluate corruptions`: a table of errors, and going on with one."""

import csv
import json
from pathlib import Path

import pytest
import torch

from interpret.corruptions.mean_error import error_rate
from tests.cli.evaluate.photos import labelled_pieces
from tests.command import TINY, interp

FEW = ("--corruptions", "contrast,gaussian-noise", "--severities", "1,5")


@pytest.fixture
def photos(tmp_path):
    """Eight pieces of a photo, of which the network gets six right."""
    return labelled_pieces(tmp_path / "photos", right=6, wrong=2)


def test_errors_by_corruption_and_an_interrupted_run(photos):
    words = ("evaluate", "corruptions", photos, *FEW, "--json", *TINY)
    whole = interp(*words)
    rows = {row["corruption"]: row for row in map(json.loads, whole.out.splitlines())}
    assert list(rows) == ["clean", "contrast", "gaussian_noise", "mean"] and rows["clean"]["error"] == 0.25
    mean = (rows["contrast"]["error"] + rows["gaussian_noise"]["error"]) / 2
    assert rows["mean"]["error"] == pytest.approx(mean) and 0 <= rows["mean"]["error_low"] <= mean
    path = Path("interp-out/corruptions_tests.command-flowers.csv")
    table = list(csv.DictReader(path.read_text().splitlines()))
    assert len(table) == 8 and sum(int(row["clean"]) for row in table) == 2
    path.write_text("\n".join(path.read_text().splitlines()[:4]) + "\n")
    assert interp(*words, "--no-clobber", "--batch-size", 3).out == whole.out
    assert interp(*words[:3], "--no-clobber", *TINY).status == 2


def test_names_that_are_no_text_are_escaped_in_the_table_and_found_again(photos):
    first = next(photos.rglob("*.png"))
    first.rename(first.with_name("a\nb.png"))
    words = ("evaluate", "corruptions", photos, *FEW, "--json", *TINY)
    whole = interp(*words)
    table = Path("interp-out/corruptions_tests.command-flowers.csv").read_text()
    assert "a\\u000ab.png" in table and table.count("\n") == 9
    assert all(row["pictures"] == 8 for row in map(json.loads, whole.out.splitlines()))
    assert interp(*words, "--no-clobber").out == whole.out


def test_relative_to_itself_a_network_is_at_one(photos):
    words = ("evaluate", "corruptions", photos, *FEW, "--json", "--relative-to", "tests.command:dark_flowers")
    rows = [json.loads(line) for line in interp(*words, "-m", "tests.command:dark_flowers").out.splitlines()]
    assert all(row["relative"] in (1, pytest.approx(1)) or row["error"] == 0 for row in rows)
    rows = [json.loads(line) for line in interp(*words, *TINY).out.splitlines()]
    assert "relative_low" in rows[-1]
    assert "95" not in interp("evaluate", "corruptions", photos, *FEW, "-q", *TINY).err


def test_the_mean_corruption_error_is_the_mean_of_ratios():
    ours, theirs = torch.zeros(4, 2, 2), torch.zeros(4, 2, 2)
    ours[:2, 0], theirs[:, 0] = 1, 1  # half as often
    ours[:, 1, 0], theirs[:, 1] = 1, 1  # and half as often again, all at the first severity
    ours[:, 1, 1] = 1  # no: as often
    assert error_rate(ours, theirs).value == pytest.approx(0.75) and error_rate(ours).value == pytest.approx(0.75)


@pytest.mark.parametrize(
    "words, message",
    [
        (("--corruptions", "frog"), "did you mean"),
        (("--severities", "0"), "from 1 to 5"),
        (("--severities", "x"), "1 to 5"),
    ],
)
def test_mistakes_are_one_line(photos, words, message):
    ran = interp("evaluate", "corruptions", photos, *words, *TINY)
    assert ran.status == 2 and message in ran.err and len(ran.err.strip().splitlines()) == 1
