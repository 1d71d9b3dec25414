"""How good an epoch was, and what follows from that."""

import warnings
from typing import Any

from .. import distributed
from ..errors import GradientWarning
from .guard import PATIENCE, holds, trouble
from .run import Run
from .scores import Data, quick
from .steps import Watch
from .weights import in_place_of


def validated(run: Run, validation: Data, seconds: float) -> dict[str, Any]:
    """The row of an epoch that took so many seconds: its loss, and accuracies on pictures held out."""
    distributed.averaged(run.network.buffers())
    if run.average is not None:
        distributed.averaged(run.average[name] for name, _ in run.network.named_buffers() if name in run.average)
    run.network.eval()
    settings = run.settings
    with in_place_of(run.network, run.average), warnings.catch_warnings():
        warnings.simplefilter("ignore", GradientWarning)
        found = quick(run.attacked, validation, settings.eps, device=run.device, batch_size=settings.batch_size)
    row = {"epoch": run.epoch + 1, "loss": run.loss_sum / max(run.seen, 1), **found, "seconds": round(seconds, 2)}
    row["rate"] = run.optimizer.param_groups[0]["lr"]
    run.loss_sum = run.seen = 0.0
    return row


def judge(run: Run, row: dict[str, Any], watch: Watch) -> None:
    """Note the epoch; where it went wrong, go back to the last good one.

    From there on the learning rate is half of what it was. Where no epoch was any good, the network
    begins afresh instead, and eps grows from nothing over a fifth of what is left. In both cases single
    steps begin at random from then on.
    """
    run.history.append(row)
    run.epoch += 1
    settings, defended = run.settings, run.settings.defense != "none"
    patience = min(PATIENCE, max(3, settings.epochs // 4))
    wrong = trouble(run.history, run.classes, defended=defended, patience=patience)
    if wrong is None:
        if holds(row, run.classes, defended=defended):
            run.good, run.proven = run.snapshot(), True
        return
    row["trouble"], remedy = wrong, "left alone, as asked"
    if settings.guard:
        run.restore(run.good)
        run.cautious = True
        if run.proven:
            remedy = "back to the last good epoch, with half the learning rate"
            run.scale /= 2
        else:
            remedy = "begun afresh, with eps growing from nothing"
            run.ramp = float(run.epoch), max(settings.warm_up, (settings.epochs - run.epoch) / 5)
    watch("trouble", {**row, "remedy": remedy})


def worth(run: Run, epoch: dict[str, Any]) -> float:
    """By what the best epoch is picked: accuracy under PGD; without a defense, on clean pictures."""
    return epoch["clean" if run.settings.defense == "none" else "pgd"]


def tired(run: Run) -> bool:
    """Whether validation has not become better for so many epochs."""
    found, patience = [worth(run, epoch) for epoch in run.history], run.settings.patience
    # As long as nothing withstands, training has not begun to pay, as while eps grows.
    if patience is None or not any(found):
        return False
    return len(found) - 1 - found.index(max(found)) >= patience
