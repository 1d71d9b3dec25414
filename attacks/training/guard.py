"""What can go wrong in adversarial training, as the validation of each epoch shows."""

from collections.abc import Sequence
from typing import Any

PATIENCE = 8  # epochs that a network may need before it learns anything at all


def trouble(
    history: Sequence[dict[str, Any]], classes: int, *, defended: bool = True, patience: int = PATIENCE
) -> str | None:
    """One sentence about what is wrong after the last epoch, or None.

    The history holds the accuracies "clean", "fgsm" and "pgd" of every epoch on validation data, and "trouble" where it
    was rolled back.

    Catastrophic overfitting (Wong et al. 2020, section 5.4; Rice et al. 2020): the network learns to mask its gradient,
    so that the accuracy under one step stays or rises while the one under several steps falls. A network that is
    trained against attacks shows it when several steps fool 15 % more than one step does, and 10 % more than in the
    best epoch. One that never was robust shows it when several steps undo three quarters of what one step leaves, 30 %
    or more, and no less than in the epoch before.

    Collapse: the network predicts one class whatever the image, after it knew better, or for ``patience`` epochs from
    the beginning or from a rollback.
    """
    *before, last = history
    good = [epoch for epoch in before if not epoch.get("trouble")]
    best = max((epoch["pgd"] for epoch in good), default=0.0)
    gap = last["fgsm"] - last["pgd"]
    fallen = best - last["pgd"] > 0.1
    masked = gap > 0.3 and last["pgd"] < last["fgsm"] / 4 and bool(good) and last["pgd"] <= good[-1]["pgd"]
    if defended and gap > 0.15 and (fallen or masked):
        return (
            f"catastrophic overfitting: {last['fgsm']:.0%} withstand one step, but only {last['pgd']:.0%} several, "
            f"after {best:.0%} before"
        )
    guessing = chance(classes)
    since = max((number for number, epoch in enumerate(before, start=1) if epoch.get("trouble")), default=0)
    recent = [epoch["clean"] for epoch in history[since:][-patience:]]
    stuck = len(recent) == patience and max(recent) <= guessing
    knew = max((epoch["clean"] for epoch in good), default=0.0) > min(2 * guessing, 0.75)
    if last["clean"] <= guessing and (stuck or knew):
        return f"collapse: only {last['clean']:.0%} of the clean pictures are right, no more than by one answer for all"
    return None


def holds(epoch: dict[str, Any], classes: int, *, defended: bool = True) -> bool:
    """Whether an epoch is worth going back to: under attack it gets more right than one answer for all would."""
    return epoch["pgd" if defended else "clean"] > chance(classes)


def chance(classes: int) -> float:
    """The accuracy up to which one answer for all images explains it."""
    return min(1.5 / classes, 1 / classes + 0.05)
