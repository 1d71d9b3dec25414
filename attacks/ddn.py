"""Decoupled direction and norm (Rony et al. 2019, https://arxiv.org/abs/1811.09600)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .core.contract import attack
from .core.losses import is_fooled, objective
from .core.minimum_norm import MinimumNormState, minimum_norm
from .core.model import Model, value_and_gradient, warn_if_vanished
from .core.norms import batch_view, l2, norm_named, positive
from .core.quantize import to_levels


@attack
def ddn(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    steps: int = 100,
    step_size: float = 1.0,
    first_eps: float | None = None,
    change: float = 0.05,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Gradient steps on a sphere that shrinks while they fool, and grows while they do not (algorithm 1).

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        steps: number of steps (K).
        step_size: L2 length of the first step (alpha), which falls to a hundredth along a cosine.
        first_eps: radius of the first sphere; by default the distance to the boundary of the linearised model, at most
            1; the paper takes 1, from where 0.01 is 90 steps away.
        change: by which share the radius changes at each step (gamma).
        targeted: whether the labels are the classes to reach.
        quantize: whether all points that the model is queried with consist of levels of an 8-bit file, as in the paper.
        batch_size: how many samples are attacked at a time; by default all.

    Returns:
        (N, ...) in [0, 1]: the nearest of all points that fooled; the clean images where they fool by themselves or
        nothing was found.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    search = _DDN(model, targeted, steps, step_size, first_eps, change, quantize)
    return minimum_norm(search, images, labels, quantize=False, batch_size=batch_size)


@dataclass
class _DDNState(MinimumNormState):
    points: Tensor  # (n, ...)
    eps: Tensor  # (n,) the radius of the sphere
    taken: Tensor  # (n,) steps


@dataclass
class _DDN:
    model: Model
    targeted: bool
    steps: int
    step_size: float
    first_eps: float | None
    change: float  # gamma
    quantize: bool

    def begin(self, samples: MinimumNormState) -> _DDNState:
        eps = self.boundary(samples) if self.first_eps is None else torch.full_like(samples.distance, self.first_eps)
        return _DDNState(**vars(samples), points=samples.images, eps=eps, taken=torch.zeros_like(samples.labels))

    def boundary(self, samples: MinimumNormState) -> Tensor:
        """(n,) the distance to the boundary of the linearised model, at most 1."""
        margin = objective("margin", self.targeted)
        _, values, gradient = value_and_gradient(self.model, samples.images, margin, samples.labels)
        return (values.abs() / positive(l2(gradient))).clamp_max(1)

    def step(self, state: _DDNState) -> Tensor:
        over = state.taken == self.steps
        loss, steepest = objective("cross_entropy", self.targeted), norm_named("L2").steepest
        logits, _, gradient = value_and_gradient(self.model, state.points, loss, state.labels, skip=lambda _: over)
        fooled = is_fooled(logits, state.labels, self.targeted)
        state.keep_nearest(state.points, fooled)
        warn_if_vanished(gradient, ~over & ~fooled)
        cosine = (1 + torch.cos(math.pi * state.taken.to(state.eps) / self.steps)) / 2
        length = self.step_size * (0.01 + 0.99 * cosine)
        delta = state.points - state.images + batch_view(length, gradient) * steepest(gradient)
        # The clean image, where all begin, does not fool; so the sphere grows first.
        state.eps = state.eps * torch.where(fooled, 1 - self.change, 1 + self.change)
        points = (state.images + batch_view(state.eps, delta) * steepest(delta)).clamp(0, 1)
        state.points = to_levels(points) if self.quantize else points
        state.taken = state.taken + 1
        return over
