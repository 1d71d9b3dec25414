"""The Jacobian-based saliency map attack (Papernot et al. 2016, https://arxiv.org/abs/1511.07528)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from .core.budget import warn_of_way, way_to_target
from .core.contract import attack
from .core.losses import is_fooled, objective
from .core.minimum_norm import MinimumNormState, minimum_norm
from .core.model import Model, value_and_gradient, warn_if_vanished
from .core.norms import batch_view
from .core.quantize import to_levels
from .errors import AttackError


@attack
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
    """Change the two values that are most salient for a class, again and again, until it wins (algorithm 2).

    The saliency of a pair is the product of what it adds to the target's probability and of what it takes from all
    others' (eq. 10). Probabilities sum to one, so the two factors are equal, the product is a square, and the best of
    all pairs are the two values with the largest derivatives: no table of pairs is needed. The derivative is that of
    the log-odds instead of the probability, which orders values in the same way and does not vanish.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        change: by how much a value changes at each step (theta): up, or down if negative.
        fraction: share of the values that may change (Upsilon).
        targeted: whether the labels are the classes to reach; otherwise the target is the likeliest wrong class.
        quantize: whether changed values are levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.

    Returns:
        (N, ...) in [0, 1]: the first point that fooled; the clean images where they fool by themselves or nothing was
        found.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    if not 0 < abs(change) <= 1 or not 0 < fraction <= 1:
        raise AttackError(f"JSMA changes values by up to 1, and a fraction of them, not {change} and {fraction}")
    allowed = max(1, int(fraction * images[:1].numel()))
    search = _JSMA(model, targeted, change, allowed, quantize)
    found = minimum_norm(search, images, labels, quantize=False, batch_size=batch_size)
    if targeted:
        warn_of_way(
            found,
            images,
            search.ways,
            f"changing a fraction of {fraction:g} of their values",
            lambda more: f"fraction={more * fraction:.2g}" if more * fraction < 1 else "more than all values",
        )
    return found


@dataclass
class _JSMAState(MinimumNormState):
    target: Tensor  # (n,) the class to reach
    points: Tensor  # (n, ...)


@dataclass
class _JSMA:
    model: Model
    targeted: bool
    change: float  # theta
    allowed: int  # how many values may change
    quantize: bool
    ways: list[Tensor] = field(default_factory=list)  # of `way_to_target`, of samples that were given up

    def begin(self, samples: MinimumNormState) -> _JSMAState:
        return _JSMAState(**vars(samples), target=samples.target_classes(self.targeted), points=samples.images)

    def step(self, state: _JSMAState) -> Tensor:
        loss = objective("cross_entropy", targeted=True)
        logits, values, gradient = value_and_gradient(self.model, state.points, loss, state.target)
        fooled = is_fooled(logits, state.labels, self.targeted)
        warn_if_vanished(gradient, ~fooled)
        state.result = torch.where(batch_view(fooled, state.points), state.points, state.result)
        saliency, end = (gradient, 1) if self.change > 0 else (-gradient, 0)
        picked = _salient_pair(state.images, state.points, saliency, self.allowed, end)
        moved = (state.points + self.change * picked).clamp(0, 1)
        moved = torch.where(picked, to_levels(moved), moved) if self.quantize else moved
        state.points = torch.where(batch_view(fooled, moved), state.points, moved)
        given_up = ~picked.flatten(1).any(1) & ~fooled
        if given_up.any():
            self.ways.append(way_to_target(values, state.logits, state.target)[given_up])
        return fooled | given_up


def _salient_pair(images: Tensor, points: Tensor, saliency: Tensor, allowed: int, end: int) -> Tensor:
    """(n, ...) booleans: the two most salient of the values that may still change, which those at the end may not."""
    changed = (points != images).flatten(1)
    room = (allowed - changed.sum(1, keepdim=True)).clamp_min(0)
    saliency = torch.where(points.flatten(1) == end, -torch.inf, saliency.flatten(1))
    order = torch.where(changed | (room > 0), saliency, -torch.inf)
    best, where = order.topk(min(2, order.shape[1]), dim=1)
    picked = best > 0
    # With room for one, at most one of the two may be a value that has not changed before.
    fresh = (picked & ~changed.gather(1, where)).cumsum(1)
    picked = picked & (changed.gather(1, where) | (fresh <= room))
    return torch.zeros_like(changed).scatter(1, where, picked).view_as(points)
