"""Robust accuracy: the share of samples that stay right, over the radius of an attack."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .. import ATTACKS, attack_named
from ..core.labels import still_right
from ..core.norms import norm_named

Attack = Callable[..., Tensor]


def standing(
    model: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    attack: str | Attack,
    eps: Sequence[float],
    **options: Any,
) -> Tensor:
    """Which samples stay right at which radius.

    The radii are worked off in one pass from small to large: what fools at one fools at every larger
    one, so only those still standing are attacked again. An attack that takes a ``start`` goes on from
    where the last radius left it. One that looks for the least change is run once for all radii.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes.
        attack: a name of the table ATTACKS, or a function of that contract that takes ``eps``.
        eps: the radii; 0 asks for the accuracy on the samples as they are.
        **options: of the attack, ``norm`` among them.

    Returns:
        (N, len(eps)) booleans.

    Raises:
        AttackError: the attack cannot be run as asked.
    """
    run = attack_named(attack) if isinstance(attack, str) else attack
    upright = still_right(model, images, labels)
    stands = upright[:, None].repeat(1, len(eps))
    if isinstance(attack, str) and ATTACKS[attack] == "least":
        return stands & ~_fooled_within(model, images, labels, run, eps, options)
    alive, start = upright.clone(), images.clone()
    for column in sorted(range(len(eps)), key=lambda number: eps[number]):
        if eps[column] > 0 and alive.any():
            extra = {"start": start[alive]} if _takes(run, "start") else {}
            extra |= {"stop_when_fooled": True} if _takes(run, "stop_when_fooled") else {}
            found = run(model, images[alive], labels[alive], eps=eps[column], **{**extra, **options})
            start[alive] = found
            alive[alive.clone()] = still_right(model, found, labels[alive])
        stands[:, column] = alive
    return stands


def _fooled_within(
    model: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    run: Attack,
    eps: Sequence[float],
    options: dict[str, Any],
) -> Tensor:
    """(N, len(eps)) booleans: the least change that was found lies within the radius."""
    found = run(model, images, labels, **options)
    size = norm_named(options.get("norm", "L2")).size(found.double() - images.double())
    hit = ~still_right(model, found, labels)
    return hit[:, None] & (size[:, None] <= torch.as_tensor(eps, dtype=size.dtype, device=size.device))


def _takes(run: Attack, name: str) -> bool:
    import inspect

    return name in inspect.signature(run).parameters


def interval(successes: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927).

    Args:
        successes: how many.
        count: of how many, at least one.
        confidence: how often the interval shall hold the true share.

    Returns:
        Its lower and upper end, in [0, 1].
    """
    z = math.sqrt(2) * float(torch.erfinv(torch.tensor(confidence, dtype=torch.float64)))
    share = successes / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)
