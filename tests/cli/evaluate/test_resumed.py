"""`interp evaluate robustness --no-clobber`: what an earlier run's table may be used for, and what not."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from interpret.images.files import write
from tests.command import FLOWERS, TINY, flowers, interp

ATTACKED = ("--attack", "pgd", "--eps", "0,2lv", "--steps", "3")


@pytest.fixture
def table(tmp_path):
    """The table of a run over the six pictures in `photos`; `more` holds six others."""
    draws = torch.Generator().manual_seed(5)
    for folder in ("photos", "more"):
        for number in range(6):
            image = torch.rand(1, 3, 32, 32, generator=draws)
            seen = int(flowers().eval()(image).argmax())
            place = Path(folder) / FLOWERS[(seen + number % 2) % 5]
            place.mkdir(parents=True, exist_ok=True)
            write(place / f"{number}.png", image)
    assert run("photos").status == 0
    return tmp_path / "interp-out" / "robustness_pgd.csv"


def run(folder, *words, model=TINY):
    """The evaluation with what an earlier one has left."""
    return interp("evaluate", "robustness", folder, *ATTACKED, *words, "--no-clobber", "--json", *model)


def counts(ran):
    """How many pictures each point is about."""
    return {json.loads(line)["count"] for line in ran.out.splitlines()}


@pytest.mark.parametrize("words", [("--steps", 4), ("--norm", "L2"), ("--seed", 1), ("--restarts", 2)], ids=str)
def test_verdicts_of_other_options_are_no_part_of_it(table, words):
    before = table.read_bytes()
    ran = run("photos", *words)
    assert ran.status == 2 and not ran.out and table.read_bytes() == before
    assert len(ran.err.splitlines()) == 1 and "other weights, options or labels; choose another -o" in ran.err


@pytest.mark.parametrize("other", ["tests.cli.evaluate.test_resumed:other_flowers", "tests.command:dark_flowers"])
def test_verdicts_of_another_network_are_no_part_of_it(table, other):
    ran = run("photos", model=("-m", other))
    assert ran.status == 2 and not ran.out and "choose another -o" in ran.err


def other_flowers():
    """A network of the same kind that has learnt something else."""
    classifier = flowers()
    classifier.network.head.weight.data.neg_()
    return classifier


def test_other_labels_are_another_run(table):
    picture = next(Path("photos").rglob("0.png"))
    other = next(name for name in FLOWERS if name != picture.parent.name)
    names = sorted(str(path.relative_to("photos")) for path in Path("photos").rglob("*.png"))
    lines = [f"{name},{other if Path(name).name == '0.png' else Path(name).parts[0]}" for name in names]
    (Path("photos") / "labels.csv").write_text("\n".join(["file,label", *lines]))
    assert run("photos").status == 2


def test_only_the_pictures_asked_for_are_counted(table):
    assert counts(run("photos", "--limit", 4)) == {4}
    alone = run("more", "-o", "alone")
    added = run("more")
    assert added.out == alone.out and counts(added) == {6}
    assert len(table.read_text().splitlines()) == 1 + 12
    whole = run("photos")
    assert counts(whole) == {6} and len(table.read_text().splitlines()) == 1 + 12


def test_pictures_that_are_gone_are_not_counted(table):
    shutil.rmtree(next(Path("photos").rglob("0.png")).parent)
    left = len(list(Path("photos").rglob("*.png")))
    assert 0 < left < 6 and counts(run("photos")) == {left}
