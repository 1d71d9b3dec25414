"""What can go wrong in adversarial training, recognised from the validation of each epoch."""

from collections.abc import Sequence
from typing import Any

PATIENCE = 8  # epochs that a network may need before it learns anything at all


def trouble(history: Sequence[dict[str, Any]], classes: int) -> str | None:
    """What is wrong after the last epoch, or None.

    Catastrophic overfitting (Wong et al. 2020, section 5.4; Rice et al. 2020): the network learns to
    mask its gradient, so accuracy under one step stays or rises while it falls under several.
    Collapse: the network answers with one class whatever it is shown.

    Args:
        history: the epochs so far: their accuracies "clean", "fgsm" and "pgd" on validation data, and
            "trouble" in those that were rolled back.
        classes: how many there are.

    Returns:
        One sentence.
    """
    *before, now = history
    good = [epoch for epoch in before if not epoch.get("trouble")]
    best = max((epoch["pgd"] for epoch in good), default=0.0)
    if now["fgsm"] - now["pgd"] > 0.15 and best - now["pgd"] > 0.1:
        return (
            f"catastrophic overfitting: {now['fgsm']:.0%} withstand one step, but only {now['pgd']:.0%} several, "
            f"after {best:.0%} before"
        )
    chance = 1.5 / classes
    # The first epochs may well be lost on finding a way in.
    recent = [epoch["clean"] for epoch in good[1 - PATIENCE :]]
    stuck = len(recent) == PATIENCE - 1 and max(recent) <= chance
    fallen = max((epoch["clean"] for epoch in good), default=0.0) > 2 * chance
    if now["clean"] <= chance and (stuck or fallen):
        return f"collapse: only {now['clean']:.0%} of the clean pictures are right, no more than by one answer for all"
    return None
