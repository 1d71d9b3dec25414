"""From a perturbation that fools to one that still does after it was written to an 8-bit file."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .active_batch import State, run_until_done
from .ball import MAX_LEVEL, bound_dtype
from .losses import is_fooled
from .model import Model, logits_of
from .norms import batch_view

GROWTH = 1.25  # of the scale, until one fools
TOLERANCE = 1.01  # the ratio of scales at which the bisection ends
LARGEST_SCALE = 1e4  # by then every value that changes at all has long reached 0 or 1


def to_levels(points: Tensor) -> Tensor:
    """Points (n, ...) in [0, 1], rounded to the levels of an 8-bit file."""
    return (points * MAX_LEVEL).round() / MAX_LEVEL


def quantize_fooling(
    model: Model,
    images: Tensor,
    adversarial: Tensor,
    labels: Tensor,
    *,
    targeted: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """The nearest 8-bit images (N, ...) that fool, on the rays from clean images through adversarial ones.

    The perturbation is scaled up until its rounded form fools, and then down again by bisection. A sample that equals
    its clean image, or that no scale makes fool, gives the clean image, bit for bit.
    """
    results = images.clone()
    moved = (adversarial != images).flatten(1).any(1)
    clean = images[moved]
    ones = torch.ones(len(clean), dtype=bound_dtype(images), device=images.device)
    state = _Scaled(clean, (adversarial - images)[moved], labels[moved], ones, ones, ones + torch.inf, clean)
    results[moved] = run_until_done(_ScaleSearch(model, targeted), state, batch_size=batch_size)
    return results


@dataclass
class _Scaled(State):
    images: Tensor  # (n, ...)
    delta: Tensor  # (n, ...)
    labels: Tensor  # (n,)
    scale: Tensor  # (n,) to try next
    low: Tensor  # (n,) the largest scale that did not fool
    high: Tensor  # (n,) the smallest one that did
    result: Tensor  # (n, ...)


@dataclass
class _ScaleSearch:
    model: Model
    targeted: bool

    def begin(self, samples: _Scaled) -> _Scaled:
        return samples

    def step(self, state: _Scaled) -> Tensor:
        scale = batch_view(state.scale, state.delta).to(state.delta)
        points = to_levels((state.images + scale * state.delta).clamp(0, 1))
        fooled = is_fooled(logits_of(self.model, points), state.labels, self.targeted)
        state.result = torch.where(batch_view(fooled, points), points, state.result)
        state.high = torch.where(fooled, state.scale, state.high)
        state.low = torch.where(fooled, state.low, state.scale)
        between = (state.low * state.high).sqrt()
        state.scale = torch.where(state.high.isinf(), state.scale * GROWTH, between)
        return (state.high <= state.low * TOLERANCE) | (state.low > LARGEST_SCALE)
