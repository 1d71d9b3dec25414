"""What goes wrong in training is noticed, and undone."""

import pytest
import torch

from attacks.training.events import EpochDone
from attacks.training.guard import holds, trouble
from tests.attacks.training.tiny_training import Bars, run_of, trained


def epochs(*rows: tuple[float, float, float]) -> list[dict[str, float]]:
    """A history from clean, FGSM and PGD accuracies; an epoch in trouble is marked as the loop marks it."""
    history: list[dict] = []
    for row in rows:
        history.append(dict(zip(("clean", "fgsm", "pgd"), row, strict=True)))
        if wrong := trouble(history, 10):
            history[-1]["trouble"] = wrong
    return history


def marks(history: list[dict]) -> list[str]:
    """The first word of every epoch's trouble, or nothing."""
    return [epoch.get("trouble", "").partition(" ")[0] for epoch in history]


FINE = (0.95, 0.7, 0.6)


@pytest.mark.parametrize(
    "rows",
    (
        [FINE, (0.96, 0.72, 0.62), (0.96, 0.7, 0.55)],  # it wavers
        [FINE, (0.9, 0.5, 0.45)],  # both fall
        [(0.1, 0.1, 0.1)] * 6 + [(0.3, 0.2, 0.1), FINE],  # it starts late
        [(0.97, 0.1, 0.0)] * 4,  # eps is still small, or there is no defense
        [(0.8, 0.05, 0.0), (0.9, 0.35, 0.07), (0.95, 0.5, 0.2), FINE],  # eps grows
    ),
)
def test_the_guard_lets_pass(rows):
    assert not any(marks(epochs(*rows)))


def test_the_guard_sees_catastrophic_overfitting():
    history = epochs(FINE, (0.97, 0.9, 0.3), (0.96, 0.72, 0.62))
    assert marks(history) == ["", "catastrophic", ""]
    assert "90% withstand one step, but only 30% several, after 60% before" in history[1]["trouble"]


def test_the_guard_sees_overfitting_of_what_was_never_robust():
    rows = [(0.35, 0.11, 0.09), (0.55, 0.33, 0.06), (0.73, 0.47, 0.0)]  # seen with fgsm on digits at eps 0.3
    assert marks(epochs(*rows)) == ["", "", "catastrophic"]


@pytest.mark.parametrize(
    "epoch, classes, defended, worth",
    (
        ((0.9, 0.3, 0.2), 10, True, True),
        ((0.9, 0.3, 0.1), 10, True, False),
        ((0.9, 0.3, 0.1), 10, False, True),
        ((0.7, 0.6, 0.56), 2, True, True),
        ((0.3, 0.1, 0.02), 100, True, True),
    ),
)
def test_what_is_worth_going_back_to_holds_better_than_one_answer_for_all(epoch, classes, defended, worth):
    row = dict(zip(("clean", "fgsm", "pgd"), epoch, strict=True))
    assert holds(row, classes, defended=defended) == worth


def test_the_guard_lets_the_undefended_alone():
    history = [dict(clean=0.9, fgsm=0.6, pgd=0.5), dict(clean=0.95, fgsm=0.6, pgd=0.1)]
    assert trouble(history, 10) and trouble(history, 10, defended=False) is None


def test_the_guard_sees_collapse():
    history = epochs(FINE, (0.1, 0.1, 0.1))
    assert marks(history) == ["", "collapse:"]
    # It never finds a way in, and after going back gets as much time as before.
    assert [number for number, mark in enumerate(marks(epochs(*[(0.11, 0.11, 0.11)] * 17)), start=1) if mark] == [8, 16]


@pytest.mark.parametrize("proven", (True, False))
def test_the_guard_goes_back_to_what_was_good(tmp_path, monkeypatch, proven):
    run, data = run_of(defense="fgsm", epochs=11, batch_size=8), Bars(24)
    weights, told = {0: run.network.fc.weight.detach().clone()}, iter([None, "made up"])
    monkeypatch.setattr("attacks.training.validation.trouble", lambda *_, **__: next(told, None))
    monkeypatch.setattr("attacks.training.validation.holds", lambda *_, **__: proven)

    def watch(event):
        if isinstance(event, EpochDone):
            weights[event.row["epoch"]] = run.network.fc.weight.detach().clone()

    history = trained(run, data, data, tmp_path, watch=watch)
    assert [number for number, row in enumerate(history, start=1) if row.get("trouble")] == [2]
    assert torch.equal(weights[2], weights[1 if proven else 0])
    assert not torch.equal(weights[1], weights[0]) and not torch.equal(weights[3], weights[2])
    assert run.cautious and run.scale == (0.5 if proven else 1.0)
    assert run.ramp == ((0.0, 0.0) if proven else (2.0, 1.8))  # a fifth of the nine epochs that are left


def test_the_guard_may_be_told_to_let_it_be(tmp_path, monkeypatch):
    run, data = run_of(defense="fgsm", epochs=1, batch_size=8, guard=False), Bars(24)
    monkeypatch.setattr("attacks.training.validation.trouble", lambda *_, **__: "made up")
    before = run.network.fc.weight.detach().clone()
    assert trained(run, data, data, tmp_path)[0]["trouble"] == "made up"
    assert run.scale == 1 and not run.cautious and not torch.equal(before, run.network.fc.weight)
