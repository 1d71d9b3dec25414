"""Fast minimum-norm attacks (Pintor et al. 2021, https://arxiv.org/abs/2102.12827)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .core.ball import movable
from .core.contract import attack
from .core.losses import is_fooled, objective
from .core.minimum_norm import MinimumNormState, minimum_norm
from .core.model import Model, value_and_gradient, warn_if_vanished
from .core.norms import batch_view, norm_named, positive
from .norm_names import norm_name


@attack
def fmn(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    norm: str = "Linf",
    steps: int = 100,
    step_size: float | None = None,
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
        norm: what is made small: "Linf" the largest change of a value, or "L2" the root of the sum of squares.
        steps: number of steps.
        step_size: L2 length of the first step (alpha), which falls along a cosine; by default, because a fixed length
            does not fit every network, the radius of the ball and at most 1 for L2, and for Linf the way to a corner.
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
    step_size: float | None  # alpha
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
        gradient = movable(gradient, state.points)
        cosine = (1 + torch.cos(math.pi * state.taken.to(state.eps) / self.steps)) / 2
        fraction = self.change * cosine
        state.eps = self.radius(state, fooled, self.boundary(state, values, gradient, fraction), fraction)
        length = self.first_step(state) * cosine
        # Whatever the norm, steps follow the L2 direction of the gradient.
        step = batch_view(length, gradient) * norm_named("L2").steepest(gradient)
        delta = state.points - state.images + step
        state.points = (state.images + self.put_on(delta, batch_view(state.eps, delta))).clamp(0, 1)
        state.taken = state.taken + 1
        return over

    def first_step(self, state: _FMNState) -> Tensor:
        """(n,) the L2 length of the first step."""
        if self.step_size is not None:
            return torch.full_like(state.eps, self.step_size)
        if self.norm == "L2":
            return state.eps.clamp(max=1)
        return state.eps * math.sqrt(state.points[0].numel())

    def put_on(self, delta: Tensor, eps: Tensor) -> Tensor:
        """Perturbations (n, ...) in the ball of radius eps; for L2 on its sphere, which short steps would not reach."""
        if self.norm == "L2":
            return norm_named("L2").steepest(delta) * eps
        return norm_named(self.norm).project(delta, eps)

    def boundary(self, state: _FMNState, values: Tensor, gradient: Tensor, fraction: Tensor) -> Tensor:
        """(n,) the distance to the boundary of the linearised model, and a fraction more, so that it is crossed.

        At most the diameter of the box, also where the gradient vanishes and that model has no boundary.
        """
        norm = norm_named(self.norm)
        steepness = positive((gradient * norm.steepest(gradient)).flatten(1).sum(1))  # the dual norm
        distance = norm.size(state.points - state.images) + values.abs() / steepness * (1 + fraction)
        return torch.minimum(distance, norm.size(torch.ones_like(state.images)))

    def radius(self, state: _FMNState, fooled: Tensor, boundary: Tensor, fraction: Tensor) -> Tensor:
        """(n,) the next radius: smaller where the points fool, else larger; at first the distance to the boundary."""
        smaller = torch.minimum(state.eps * (1 - fraction), state.distance)
        larger = torch.where(state.distance.isinf(), boundary, state.eps * (1 + fraction))
        return torch.where(fooled, smaller, larger)
