"""Robust accuracy: the share of samples that stay right, over the radius of an attack."""

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .. import ATTACKS, attack_named
from ..core.labels import labels_or_predictions, still_right
from ..core.model import Model
from ..core.norms import norm_named
from ..norm_names import check_radius, norm_name

Attack = Callable[..., Tensor]


def robust_at(
    model: Model, images: Tensor, labels: Tensor, attack: str | Attack, eps: Sequence[float], **options: Any
) -> Tensor:
    """(N, len(eps)) booleans: which samples stay right at which radius; at 0, those that are right when clean.

    The attack is a name of the table ATTACKS, or a function of that contract that takes ``eps``. The radii are attacked
    in one pass from the smallest to the largest: what fools within one radius fools within every larger one, so only
    the samples that are still robust are attacked again. An attack that has an option ``start`` goes on from its result
    at the last radius. A minimum-norm attack runs once for all radii. The model sees ``batch_size`` of the samples at a
    time, by default all.
    """
    run = attack_named(attack) if isinstance(attack, str) else attack
    known = inspect.signature(run).parameters
    norm = norm_name(options.get("norm", known["norm"].default if "norm" in known else "Linf"))
    for radius in eps:
        check_radius(radius, norm, math.prod(images.shape[1:]))
    labels = labels_or_predictions(model, images, labels)
    size = options.get("batch_size")
    robust = still_right(model, images, labels, size)
    if isinstance(attack, str) and ATTACKS[attack] == "minimum_norm":
        found = run(model, images, labels, **options)
        change = norm_named(norm).size(found.double() - images.double())
        within = change[:, None] <= torch.as_tensor(eps, dtype=change.dtype, device=change.device)
        return robust[:, None] & ~(~still_right(model, found, labels, size)[:, None] & within)
    results, start = robust[:, None].repeat(1, len(eps)), images.clone()
    for column in sorted(range(len(eps)), key=lambda number: eps[number]):
        if eps[column] > 0 and robust.any():
            extra = {"start": start[robust], "stop_when_fooled": True}
            extra = {name: value for name, value in extra.items() if name in known}
            found = run(model, images[robust], labels[robust], eps=eps[column], **{**extra, **options})
            start[robust] = found
            robust[robust.clone()] = still_right(model, found, labels[robust], size)
        results[:, column] = robust
    return results


def interval(successes: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """The ends, in [0, 1], of Wilson's score interval of a share (Wilson 1927)."""
    z = math.sqrt(2) * float(torch.erfinv(torch.tensor(confidence, dtype=torch.float64)))
    share = successes / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)
