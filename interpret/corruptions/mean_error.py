"""How much more often a network errs on corrupted pictures (Hendrycks and Dietterich 2019, section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..classifier import Classifier
from .corrupt import corrupt

DRAWS = 1000  # bootstrap samples
TAIL = 0.025


@dataclass(frozen=True)
class ErrorRate:
    """A mean over pictures, in [0, 1] or relative to another network's, with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def wrong_when_corrupted(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    names: Sequence[str],
    severities: Sequence[int],
    *,
    seed: int | Sequence[int] = 0,
) -> Tensor:
    """Which pictures a network gets wrong under which corruption.

    Args:
        classifier: it sees the corrupted pictures as it would see any others.
        images: (N, 3, H, W) in [0, 1].
        labels: (N,) the true classes.
        names: of the table CORRUPTIONS.
        severities: from 1 to 5.
        seed: of what is random: one for all pictures, or one for each.

    Returns:
        (N, 1 + len(names) * len(severities)) booleans; the first column is of the pictures as they are, and then every
        corruption has its severities side by side.
    """
    columns = [classifier.predict(images) != labels]
    for name in names:
        for severity in severities:
            corrupted = corrupt(images, name, severity, seed=seed)
            columns.append(classifier.predict(corrupted) != labels)
    return torch.stack(columns, 1)


def error_rate(wrong: Tensor, reference: Tensor | None = None, *, seed: int = 0) -> ErrorRate:
    """The share that is wrong, or the mean corruption error relative to another network.

    Relative to a reference, each corruption counts as the sum of its errors over that of the reference's errors
    (equation CE), and the mean over corruptions is the mean corruption error. Where the reference never errs on a
    corruption the result is infinite, or not a number where neither does.

    Args:
        wrong: (N, corruptions, severities) of the network, the pictures first.
        reference: (N, corruptions, severities) of the other, on the same pictures.
        seed: of the interval, for which pictures are drawn with replacement.
    """
    ours = wrong.double().mean(2)
    theirs = torch.ones_like(ours) if reference is None else reference.double().mean(2)
    drawn = torch.randint(len(ours), (DRAWS, len(ours)), generator=torch.Generator().manual_seed(seed))

    def relative(first: Tensor, second: Tensor) -> Tensor:
        return (first / second).mean(-1)

    drawn_values = relative(ours[drawn].mean(1), theirs[drawn].mean(1))
    finite = drawn_values[drawn_values.isfinite()]
    ends = torch.tensor([TAIL, 1 - TAIL], dtype=torch.float64)
    low, high = finite.quantile(ends).tolist() if len(finite) else (torch.nan, torch.nan)
    return ErrorRate(float(relative(ours.mean(0), theirs.mean(0))), low, high)
