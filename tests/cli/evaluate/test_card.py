"""`interp evaluate card`: one page, whose numbers are those of the other commands."""

import json
import re
import shlex
from pathlib import Path

import pytest
import torch

from interpret import InterpretError, calibration
from interpret.report.card import Card, Measure, card_page
from tests.cli.evaluate.photos import labelled_pieces
from tests.command import TINY, interp

FEW = ("--auto-steps", 3, "--auto-queries", 5, "--queries", 10, "--steps", 3, "--severities", "1,5")
FEW = (*FEW, "--corruptions", "contrast,gaussian-noise")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:not the standard AutoAttack")
def test_every_number_has_its_interval_seed_and_a_command_that_gives_it_again(tmp_path):
    labelled_pieces(tmp_path / "photos", right=5, wrong=1)
    ran = interp("evaluate", "card", "photos", "-o", "out/card.html", *FEW, *TINY)
    assert ran.status == 0 and ran.paths == [Path("out/card.html")]
    page, record = Path("out/card.html").read_text(), json.loads(Path("out/card.json").read_text())
    assert not re.search(r"(src|href)=\"(?!data:)|<script|@import|url\(", page)
    measures = {measure["name"]: measure for measure in record["measures"]}
    assert measures["accuracy, clean"]["value"] == pytest.approx(5 / 6) and len(measures) == 5
    for measure in measures.values():
        assert measure["low"] <= measure["value"] <= measure["high"] and measure["seed"] == 0
        for shown in (measure["name"], f"{100 * measure['value']:.1f} %", f"{100 * measure['low']:.1f}-"):
            assert shown in page
    for name, field in (
        ("accuracy, clean", "share"),
        ("accuracy under PGD-3", "share"),
        ("error under corruptions", "error"),
    ):
        again = interp(*shlex.split(measures[name]["command"])[1:], "--json")
        assert json.loads(again.out.splitlines()[-1])[field] == pytest.approx(measures[name]["value"]), name
    masking = interp(*shlex.split(record["checks_command"])[1:], "--json")
    assert [json.loads(line)["fine"] for line in masking.out.splitlines()] == [row["fine"] for row in record["checks"]]


def test_a_page_shows_every_number_and_loads_nothing():
    found = calibration(torch.tensor([[0.9, 0.1], [0.3, 0.7]]), torch.tensor([0, 0]))
    measure = Measure("accuracy, clean", 0.5, 0.1, 0.9, 2, 7, "interp evaluate <accuracy>", "higher", "share")
    row = {"corruption": "fog", "error": 0.5, "error_low": 0.0, "error_high": 1.0, "severity_3": 0.25}
    checks = [{"name": "gradients", "fine": False, "evidence": "the gradient is zero"}]
    card = Card("net", "photos", {"weights_hash": "abc"}, [measure], found, [row], checks, "masking", "card", {}, [3])
    page = card_page(card)
    assert not re.search(r"(src|href)=\"(?!data:)|<script|@import|url\(", page)
    for shown in (
        "accuracy, clean",
        "50.0 %",
        "10.0-90.0 %",
        "&lt;accuracy&gt;",
        "signs that gradients are masked",
        "25",
    ):
        assert shown in page
    record = json.loads(json.dumps(card.record(), allow_nan=False))
    assert record["masked"] and record["measures"][0]["seed"] == 7


def test_a_card_is_a_page():
    ran = interp("evaluate", "card", "photos", "-o", "card.pdf", *TINY)
    assert ran.status == 2 and "a card is an .html file" in ran.err


def test_the_calibration_error_is_the_mean_distance_of_probability_and_accuracy():
    sure = torch.tensor([0.92, 0.92, 0.92, 0.92, 0.62, 0.62])
    labels = torch.tensor([0, 0, 0, 1, 0, 1])
    found = calibration(torch.stack([sure, 1 - sure], 1), labels, bins=10)
    assert found.error == pytest.approx(4 / 6 * 0.17 + 2 / 6 * 0.12, abs=1e-6)
    assert found.low <= found.error <= found.high
    assert found.counts[9] == 4 and found.accuracies[9] == 0.75 and sum(found.counts) == 6
    with pytest.raises(InterpretError, match="a picture or more"):
        calibration(torch.zeros(0, 2), labels[:0])
