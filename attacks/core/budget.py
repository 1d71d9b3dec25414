"""What a targeted attack that has reached its target for no sample would need."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from ..errors import BudgetWarning
from .losses import is_fooled, objective
from .model import Model, logits_of

Sizes = Mapping[str, Callable[[], Iterable[Tensor]]]  # from names to what makes images (N, ...), in parts

LARGER = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0)  # by which a change is made larger, until it does


def way_to_target(reached: Tensor, clean: Tensor, labels: Tensor) -> Tensor:
    """(n,) the share of the way to the labels, from the logits (n, C) of clean images, that log-odds (n,) reach."""
    start = objective("cross_entropy", targeted=True)(clean, labels)
    return (reached - start) / start.abs().clamp_min(1e-12)


def warn_of_way(
    found: Tensor, images: Tensor, ways: Sequence[Tensor], spent: str, remedy: Callable[[float], str]
) -> None:
    """Warn if nothing was found for any image (N, ...), given the shares of the way that those went who failed.

    ``spent`` is what was changed; ``remedy`` takes by which factor more of it there would have to be, about.
    """
    if not ways or (found != images).any():
        return
    failed = torch.cat(list(ways))
    way = float(failed.median())
    would = f"it would take about {remedy(1 / way)}" if way > 0.01 else "more of it would hardly do"
    told = f"by {spent}, which leads {max(way, 0):.0%} of the way (the median); {would}"
    warnings.warn(f"the target was reached for none of {len(failed)} samples {told}", BudgetWarning, stacklevel=4)


def warn_of_size(model: Model, labels: Tensor, sizes: Sizes) -> None:
    """Warn if the first of several sizes of a change reaches the labels (N,) for no sample, and say which one does.

    That is the first one that reaches them for half of the samples.
    """
    (name, make), *larger = sizes.items()
    if not len(labels) or _hits(model, make(), labels):
        return
    reached = ((size, _hits(model, make(), labels)) for size, make in larger)
    enough = next((f"{size} would reach {hits}" for size, hits in reached if 2 * hits >= len(labels)), None)
    told = f"by {name}; {enough or 'nor would the same change, made larger, do for half of them'}"
    warnings.warn(f"the target was reached for none of {len(labels)} samples {told}", BudgetWarning, stacklevel=4)


@torch.no_grad()
def _hits(model: Model, parts: Iterable[Tensor], labels: Tensor) -> int:
    """For how many of the samples, given in parts, the model sees the labels."""
    logits = torch.cat([logits_of(model, part) for part in parts])
    return int(is_fooled(logits, labels, targeted=True).sum())
