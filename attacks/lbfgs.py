"""The attack of Szegedy et al. (2014, https://arxiv.org/abs/1312.6199), by box-constrained L-BFGS."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .core.contract import attack
from .core.losses import cross_entropy, is_fooled, margin
from .core.minimum_norm import MAX_WEIGHT, MinimumNormState, WeightSearch, minimum_norm, multiple_to_zero
from .core.model import Model, value_and_gradient, warn_if_vanished
from .core.norms import batch_view, l2

MEMORY = 8  # pairs of steps and changes of the gradient that a sample remembers


@attack
def lbfgs(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    steps: int = 30,
    searches: int = 8,
    first_weight: float | None = None,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Minimise the distance plus a weighted cross-entropy, with the smallest weight that fools (section 4.1).

    ``|r|^2 + c loss(images + r, target)`` within [0, 1] is minimised by L-BFGS, whose steps end at the box; c is found
    by bisection for each sample.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        steps: number of points that are tried with each weight.
        searches: number of weights that are tried.
        first_weight: the weight that is tried first (c); by default what a linear model would need.
        targeted: whether the labels are the classes to reach; otherwise the target is the likeliest wrong class.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.

    Returns:
        (N, ...) in [0, 1]: the nearest of all points that fooled; the clean images where they fool by themselves or
        nothing was found.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    search = _LBFGS(model, targeted, steps, searches, first_weight)
    return minimum_norm(search, images, labels, quantize=quantize, batch_size=batch_size)


@dataclass
class _LBFGSState(MinimumNormState):
    target: Tensor  # (n,) the class whose loss is lowered
    points: Tensor  # (n, ...) the last point that was accepted, its objective and its gradient
    value: Tensor
    gradient: Tensor
    trial: Tensor  # (n, ...) the next point, a part of the way (n,) in a direction (n, ...)
    length: Tensor
    direction: Tensor
    steps: Tensor  # (n, MEMORY, d) the last steps, and how the gradient changed over each
    changes: Tensor
    taken: Tensor  # (n,) points tried with the present weight
    weights: WeightSearch  # c


@dataclass
class _LBFGS:
    model: Model
    targeted: bool
    steps: int
    searches: int
    first_weight: float | None

    def begin(self, samples: MinimumNormState) -> _LBFGSState:
        images, target = samples.images, samples.target_classes(self.targeted)
        weight = self.linear_weight(images, target)
        zeros, memory = torch.zeros_like(weight), torch.zeros_like(images.flatten(1)[:, None].repeat(1, MEMORY, 1))
        return _LBFGSState(
            **vars(samples),
            target=target,
            points=images,
            value=zeros + torch.inf,
            gradient=torch.zeros_like(images),
            trial=images,
            length=zeros + 1,
            direction=torch.zeros_like(images),
            steps=memory,
            changes=memory,
            taken=zeros,
            weights=WeightSearch.of(weight if self.first_weight is None else zeros + self.first_weight),
        )

    def linear_weight(self, images: Tensor, target: Tensor) -> Tensor:
        """(n,) twice the smallest weight with which a linear model is fooled."""
        _, values, gradient = value_and_gradient(self.model, images, margin, target)
        weight = 8 * multiple_to_zero(values.clamp_min(0), gradient)
        return weight.clamp(torch.finfo(weight.dtype).tiny, MAX_WEIGHT)

    def step(self, state: _LBFGSState) -> Tensor:
        weights = state.weights
        logits, loss, gradient = value_and_gradient(self.model, state.trial, _cross_entropy, state.target)
        fooled = is_fooled(logits, state.labels, self.targeted)
        state.keep_nearest(state.trial, fooled)
        warn_if_vanished(gradient, ~fooled)
        weights.fooled = weights.fooled | fooled
        delta = state.trial - state.images
        value = l2(delta).square() + weights.weight * loss
        _accept(state, value, 2 * delta + batch_view(weights.weight, gradient) * gradient)
        state.taken = state.taken + 1
        state.trial = (state.points + batch_view(state.length, delta) * state.direction).clamp(0, 1)
        stalled = l2(state.trial - state.points) <= 1e-4 * l2(state.points - state.images)
        ended = (state.taken == self.steps) | (stalled & (state.taken > 1))
        weights.next(ended)
        if ended.any():
            _begin_again(state, ended)
        return weights.done == self.searches


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return F.softplus(cross_entropy(logits, labels))


def _begin_again(state: _LBFGSState, ended: Tensor) -> None:
    """Go back to the clean images where the minimisation has ended (n,)."""
    again = batch_view(ended, state.points)
    state.points = torch.where(again, state.images, state.points)
    state.trial = torch.where(again, state.images, state.trial)
    state.value = torch.where(ended, torch.inf, state.value)
    state.length = torch.where(ended, 1, state.length)
    state.steps = torch.where(ended[:, None, None], 0, state.steps)
    state.changes = torch.where(ended[:, None, None], 0, state.changes)
    state.taken = torch.where(ended, 0, state.taken)


def _accept(state: _LBFGSState, value: Tensor, gradient: Tensor) -> None:
    """Accept a trial whose value is low enough (Armijo), and take a new direction; else try half as far."""
    moved, first = state.trial - state.points, state.value.isinf()
    expected = (state.gradient * moved).flatten(1).sum(1)
    accepted = first | (value <= state.value + 1e-4 * expected)
    change = gradient - state.gradient
    curved = accepted & ~first & ((moved * change).flatten(1).sum(1) > 1e-10 * l2(change).square())
    state.steps = _remembered(state.steps, moved, curved)
    state.changes = _remembered(state.changes, change, curved)
    moves = batch_view(accepted, moved)
    state.points = torch.where(moves, state.trial, state.points)
    state.gradient = torch.where(moves, gradient, state.gradient)
    state.value = torch.where(accepted, value, state.value)
    state.length = torch.where(accepted, 1, state.length / 2)
    state.direction = torch.where(moves, _quasi_newton(state), state.direction)


def _remembered(memory: Tensor, newest: Tensor, which: Tensor) -> Tensor:
    return torch.where(which[:, None, None], torch.cat([memory[:, 1:], newest.flatten(1)[:, None]], 1), memory)


def _quasi_newton(state: _LBFGSState) -> Tensor:
    """(n, ...) the direction of L-BFGS (Nocedal 1980), 0 for values that the gradient holds at an end of [0, 1]."""
    held = ((state.points >= 1) & (state.gradient < 0)) | ((state.points <= 0) & (state.gradient > 0))
    free = (~held).flatten(1)
    direction = -state.gradient.flatten(1) * free
    products = (state.steps * state.changes).sum(2)
    known = products > 0
    inverse = torch.where(known, 1 / torch.where(known, products, 1), 0)
    shares = []
    for pair in reversed(range(MEMORY)):
        share = inverse[:, pair] * (state.steps[:, pair] * direction).sum(1)
        direction = direction - share[:, None] * state.changes[:, pair]
        shares.append(share)
    # Without a memory, the inverse curvature of the squared distance.
    curvature = state.changes[:, -1].square().sum(1)
    scale = torch.where(known[:, -1], products[:, -1] / torch.where(known[:, -1], curvature, 1), 0.5)
    direction = direction * scale[:, None]
    for pair in range(MEMORY):
        back = inverse[:, pair] * (state.changes[:, pair] * direction).sum(1)
        direction = direction + (shares[MEMORY - 1 - pair] - back)[:, None] * state.steps[:, pair]
    return (direction * free).view_as(state.points)
