"""How good an epoch was, and what follows from that."""

import warnings
from typing import Any

from .. import distributed
from ..errors import GradientWarning
from .accuracies import Data, quick
from .events import Trouble, Watch
from .guard import PATIENCE, holds, trouble
from .run import Run
from .weights import in_place_of


def validate(run: Run, validation: Data, seconds: float) -> dict[str, Any]:
    """The row of an epoch that took so many seconds: its loss, and the accuracies on validation data."""
    distributed.averaged(run.network.buffers())
    if run.average is not None:
        distributed.averaged(run.average[name] for name, _ in run.network.named_buffers() if name in run.average)
    run.network.eval()
    settings = run.settings
    with in_place_of(run.network, run.average), warnings.catch_warnings():
        warnings.simplefilter("ignore", GradientWarning)
        scores = quick(run.attacked, validation, settings.eps, device=run.device, batch_size=settings.batch_size)
    row = {"epoch": run.epoch + 1, "loss": run.loss_sum / max(run.seen, 1), **scores, "seconds": round(seconds, 2)}
    row["rate"] = run.optimizer.param_groups[0]["lr"]
    run.loss_sum = run.seen = 0.0
    return row


def judge(run: Run, row: dict[str, Any], watch: Watch) -> None:
    """Record the epoch; where it went wrong, go back to the last good one.

    From there on the learning rate is half of what it was. Where no epoch was any good, the network begins afresh
    instead, and eps grows from nothing over a fifth of the epochs that are left. In both cases single-step attacks
    start at random points from then on.
    """
    run.history.append(row)
    run.epoch += 1
    settings, defended = run.settings, run.settings.defense != "none"
    patience = min(PATIENCE, max(3, settings.epochs // 4))
    sentence = trouble(run.history, run.classes, defended=defended, patience=patience)
    if sentence is None:
        if holds(row, run.classes, defended=defended):
            run.good, run.proven = run.snapshot(), True
        return
    row["trouble"], remedy = sentence, "left alone, as asked"
    if settings.guard:
        run.restore(run.good)
        run.cautious = True
        if run.proven:
            remedy = "back to the last good epoch, with half the learning rate"
            run.scale /= 2
        else:
            remedy = "begun afresh, with eps growing from nothing"
            run.ramp = float(run.epoch), max(settings.warm_up, (settings.epochs - run.epoch) / 5)
    watch(Trouble(row, remedy))


def is_best(run: Run) -> bool:
    """Whether the last epoch went well, and no epoch that did is better."""
    *before, row = run.history
    best = max((_score(run, epoch) for epoch in before if not epoch.get("trouble")), default=0)
    return not row.get("trouble") and _score(run, row) >= best


def out_of_patience(run: Run) -> bool:
    """Whether the validation has not become better for as many epochs as the settings allow."""
    scores, patience = [_score(run, epoch) for epoch in run.history], run.settings.patience
    # While nothing is robust, as at first when eps grows, the epochs do not count.
    if patience is None or not any(scores):
        return False
    return len(scores) - 1 - scores.index(max(scores)) >= patience


def _score(run: Run, epoch: dict[str, Any]) -> float:
    """What the best epoch is chosen by: the accuracy under PGD, or without a defense that on clean images."""
    return epoch["clean" if run.settings.defense == "none" else "pgd"]
