"""`interp units`: the table, the numbers and the figure."""

import csv
import json

import numpy as np
import pytest

import interpret
from tests.command import interp

WORDS = ("units", "sample:koala", "-m", "squeezenet1_1", "--method", "input-x-gradient")


def test_the_table_is_that_of_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = interp(*WORDS, "-c", "koala", "--top", "3", "--json", "--csv", "all.csv", "-o", "units.png")
    assert run.status == 0, run.err
    found = json.loads(run.out)
    classifier, image = interpret.load("squeezenet1_1"), interpret.read("sample:koala")
    added = interpret.unit_contributions(classifier, image, 105, method="input-x-gradient")[0]
    totals = added.sum((1, 2))
    order = totals.argsort(descending=True).tolist()
    assert [row["channel"] for row in found["top"]] == order[:3] and found["units"] == 512
    np.testing.assert_allclose([row["added"] for row in found["top"]], totals[order[:3]], rtol=1e-4)
    row, column = divmod(int(added[order[0]].argmax()), 13)
    assert found["top"][0]["unit"] == f"features.12:{order[0]}@{row},{column}"
    rows = list(csv.DictReader((tmp_path / "all.csv").read_text().splitlines()))
    assert len(rows) == 512 and rows[0]["picture"] == "sample:koala"
    np.testing.assert_allclose([float(row["added"]) for row in rows], totals[order], rtol=1e-3, atol=1e-5)
    assert found["path"] == "units.png" and (tmp_path / "units.png").stat().st_size > 10_000


def test_a_unit_that_is_listed_can_be_explained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = interp(*WORDS, "--layer", "features.7", "--top", "2")
    assert run.status == 0, run.err
    first, *rows = run.out.splitlines()
    assert first.startswith("sample:koala: logit of koala ") and " units of features.7 add " in first
    rank, _, unit = rows[0].split()
    assert rank == "1" and interp("saliency", "sample:koala", "-m", "squeezenet1_1", "--unit", unit).status == 0
    below = interp(*WORDS, "--layer", "features.3", "--unit", unit, "--top", "1")
    assert below.status == 0 and below.out.startswith(f"sample:koala: activation of {unit} ")


@pytest.mark.parametrize(
    "words, said",
    [
        (("--layer", "features.99"), "no layer 'features.99'"),
        (("-c", "no such thing"), "no class"),
        (("--method", "saliency"), "Invalid value for '--method'"),
        (("--steps", "0"), "Invalid value for '--steps'"),
        (("--unit", "features.3:1"), "does not depend on layer 'features.12'"),
        (("-o", "-"), "give -o a file or a folder"),
    ],
)
def test_wrong_words_are_one_line_and_status_2(words, said):
    run = interp(*WORDS, *words)
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1) and said in run.err, run.err
