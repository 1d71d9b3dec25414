"""Fast minimum-norm attacks (Pintor et al. 2021, https://arxiv.org/abs/2102.12827)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .core.contract import attack
from .core.losses import is_fooled, objective
from .core.minimum_norm import MinimumNormState, minimum_norm
from .core.model import Model, value_and_gradient, warn_if_vanished
from .core.norm_names import norm_name
from .core.norms import batch_view, norm_named, positive
from .errors import AttackError


@attack
def fmn(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    norm: str = "Linf",
    steps: int = 100,
    step_size: float = 1.0,
    change: float = 0.05,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Projected gradient steps in a ball whose radius converges to the distance of the boundary (algorithm 1).

    Until a point fools, the radius is the distance to the boundary of the linearised model. From then on it shrinks
    while points fool and grows while they do not, by ever smaller shares.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        norm: "Linf" or "L2".
        steps: number of steps.
        step_size: L2 length of the first step (alpha), which falls along a cosine.
        change: by which share the radius changes at first (gamma), which falls along a cosine.
        targeted: whether the labels are the classes to reach.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.

    Returns:
        (N, ...) in [0, 1]: the nearest of all points that fooled; the clean images where they fool by themselves or
        nothing was found.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm, ("L2", "Linf"), "FMN")
    if steps < 1 or not 0 < change < 1:
        raise AttackError(f"FMN takes a step or more, and changes eps by a fraction, not {steps} and {change}")
    search = _FMN(model, targeted, norm, steps, step_size, change)
    return minimum_norm(search, images, labels, quantize=quantize, batch_size=batch_size)


@dataclass
class _FMNState(MinimumNormState):
    points: Tensor  # (n, ...)
    eps: Tensor  # (n,) the radius of the ball
    taken: Tensor  # (n,) steps


@dataclass
class _FMN:
    model: Model
    targeted: bool
    norm: str
    steps: int
    step_size: float  # alpha
    change: float  # gamma

    def begin(self, samples: MinimumNormState) -> _FMNState:
        eps, taken = torch.zeros_like(samples.distance), torch.zeros_like(samples.labels)
        return _FMNState(**vars(samples), points=samples.images, eps=eps, taken=taken)

    def step(self, state: _FMNState) -> Tensor:
        over = state.taken == self.steps
        margin = objective("margin", self.targeted)
        logits, values, gradient = value_and_gradient(
            self.model, state.points, margin, state.labels, skip=lambda _: over
        )
        fooled = is_fooled(logits, state.labels, self.targeted)
        state.keep_nearest(state.points, fooled, self.norm)
        if over.all():
            return over
        warn_if_vanished(gradient, ~over & ~fooled)
        gradient = _movable(gradient, state.points)
        cosine = (1 + torch.cos(math.pi * state.taken.to(state.eps) / self.steps)) / 2
        fraction, length = self.change * cosine, self.step_size * cosine
        state.eps = self.radius(state, fooled, self.boundary(state, values, gradient, fraction), fraction)
        # Whatever the norm, steps follow the L2 direction of the gradient.
        step = batch_view(length, gradient) * norm_named("L2").steepest(gradient)
        delta = state.points - state.images + step
        project = norm_named(self.norm).project
        state.points = (state.images + project(delta, batch_view(state.eps, delta))).clamp(0, 1)
        state.taken = state.taken + 1
        return over

    def boundary(self, state: _FMNState, values: Tensor, gradient: Tensor, fraction: Tensor) -> Tensor:
        """(n,) the distance to the boundary of the linearised model, and a fraction more, so that it is crossed."""
        norm = norm_named(self.norm)
        steepness = positive((gradient * norm.steepest(gradient)).flatten(1).sum(1))  # the dual norm
        return norm.size(state.points - state.images) + values.abs() / steepness * (1 + fraction)

    def radius(self, state: _FMNState, fooled: Tensor, boundary: Tensor, fraction: Tensor) -> Tensor:
        """(n,) the next radius: smaller where the points fool, else larger; at first the distance to the boundary."""
        smaller = torch.minimum(state.eps * (1 - fraction), state.distance)
        larger = torch.where(state.distance.isinf(), boundary, state.eps * (1 + fraction))
        return torch.where(fooled, smaller, larger)


def _movable(gradient: Tensor, points: Tensor) -> Tensor:
    """The gradient (n, ...) to be raised, 0 where it leads out of [0, 1]: else the boundary would seem too near."""
    stuck = ((points >= 1) & (gradient > 0)) | ((points <= 0) & (gradient < 0))
    return torch.where(stuck, 0, gradient)
