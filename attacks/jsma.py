"""The Jacobian-based saliency map attack (Papernot et al. 2016, https://arxiv.org/abs/1511.07528)."""

import torch
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.losses import fooled, objective, slope
from .core.minimum_norm import least, likeliest_wrong
from .core.norms import columns
from .core.quantize import rounded
from .errors import AttackError


def jsma(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    change: float = 1.0,
    fraction: float = 0.145,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Change the two values that speak most for a class, again and again, until it wins (algorithm 2).

    The saliency of a pair is the product of what it adds to the target's probability and of what it
    takes from all others' (eq. 10). Probabilities sum to one, so the two are equal, the product is a
    square, and the best of all pairs are the two values with the largest derivatives: no table of
    pairs is needed. In place of the derivative of the probability stands that of the log-odds,
    which orders values in the same way and does not vanish.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        change: by how much a value changes at each step (theta): up, or down if negative.
        fraction: how many of the values may change (Upsilon).
        targeted: whether the labels are the classes wanted; else the likeliest wrong class is gone for.
        quantize: whether changed values lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.

    Returns:
        (N, ...) in [0, 1], the first pictures that fooled; clean ones where they fool by themselves
        or nothing was found.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    if not 0 < abs(change) <= 1 or not 0 < fraction <= 1:
        raise AttackError(f"JSMA changes values by up to 1, and a fraction of them, not {change} and {fraction}")
    raised = objective("cross_entropy", True)
    values = images[:1].numel()
    allowed = max(1, int(fraction * values))

    def attack(images: Tensor, labels: Tensor, logits: Tensor, places: Tensor) -> Tensor:
        wanted = likeliest_wrong(logits, labels, targeted)

        def begin(numbers: Tensor) -> Rows:
            chosen = numbers.to(labels.device)
            clean = images[chosen]
            return Rows(images=clean, labels=labels[chosen], wanted=wanted[chosen], points=clean, result=clean)

        def step(now: Rows) -> Tensor:
            found, _, gradient = slope(model, now.points, lambda logits: raised(logits, now.wanted))
            hit = fooled(found, now.labels, targeted)
            now.result = torch.where(columns(hit, now.points), now.points, now.result)
            picked = _salient_pair(now, gradient if change > 0 else -gradient, allowed, 1 if change > 0 else 0)
            moved = (now.points + change * picked).clamp(0, 1)
            moved = torch.where(picked, rounded(moved), moved) if quantize else moved
            now.points = torch.where(columns(hit, moved), now.points, moved)
            return hit | ~picked.flatten(1).any(1)

        return work_off(len(labels), begin, step, batch_size=batch_size)

    return least(model, images, labels, attack, targeted=targeted, quantize=False, batch_size=batch_size)


def _salient_pair(now: Rows, saliency: Tensor, allowed: int, end: int) -> Tensor:
    """(n, ...) booleans: the two values, of those that may still change, that are most salient."""
    changed = (now.points != now.images).flatten(1)
    room = (allowed - changed.sum(1, keepdim=True)).clamp_min(0)
    saliency = torch.where(now.points.flatten(1) == end, -torch.inf, saliency.flatten(1))
    order = torch.where(changed | (room > 0), saliency, -torch.inf)
    best, where = order.topk(min(2, order.shape[1]), dim=1)
    taken = best > 0
    # With room for one, at most one of the two may be new.
    fresh = (taken & ~changed.gather(1, where)).cumsum(1)
    taken = taken & (changed.gather(1, where) | (fresh <= room))
    return torch.zeros_like(changed).scatter(1, where, taken).view_as(now.points)
