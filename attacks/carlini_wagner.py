"""The L2 attack of Carlini and Wagner (2017, https://arxiv.org/abs/1608.04644)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .core.contract import attack
from .core.losses import distance_to_boundary, is_fooled
from .core.minimum_norm import MAX_WEIGHT, MinimumNormState, WeightSearch, minimum_norm, multiple_to_zero
from .core.model import Model, value_and_gradient, warn_if_vanished
from .core.norms import batch_view, linf

FULL_STEPS = 150  # from so many on, all are as long as in the longest runs
MAX_STEP = 0.05  # of an angle, which moves a grey value by 6 levels of an 8-bit file


@attack
def carlini_wagner(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    confidence: float = 0.0,
    steps: int = 200,
    step_size: float | None = None,
    searches: int = 6,
    first_weight: float | None = None,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Minimise the distance plus a weighted loss, with the smallest weight that fools.

    The objective of section VI-A, ``|delta|^2 + c f(images + delta)`` with f6 of section V-A, is minimised by Adam; c
    is found by bisection for each sample. The authors take 10,000 steps of one length in each of 20 searches; here the
    steps grow shorter, and a few hundred suffice.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        confidence: number of logits by which the wrong class must win (kappa).
        steps: number of steps with each weight.
        step_size: the step of Adam at first, from where it falls to 0; by default a tenth of what a linear model would
            need, at most 0.05, and with fewer than 150 steps as much longer.
        searches: number of weights that are tried.
        first_weight: the weight that is tried first (c); by default what a linear model would need, so that the scale
            of the logits does not matter.
        targeted: whether the labels are the classes to reach.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.

    Returns:
        (N, ...) in [0, 1]: the nearest of all points that fooled; the clean images where they fool by themselves or
        nothing was found.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    search = _CarliniWagner(model, targeted, confidence, steps, step_size, searches, first_weight)
    return minimum_norm(search, images, labels, quantize=quantize, batch_size=batch_size)


@dataclass
class _CarliniWagnerState(MinimumNormState):
    angle: Tensor  # (n, ...) what Adam changes
    mean: Tensor  # (n, ...) Adam's running mean of gradients, and that of their squares
    square: Tensor
    step_size: Tensor  # (n,)
    taken: Tensor  # (n,) steps with the present weight
    weights: WeightSearch  # c


@dataclass
class _CarliniWagner:
    model: Model
    targeted: bool
    confidence: float  # kappa
    steps: int
    step_size: float | None
    searches: int
    first_weight: float | None

    def missing(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(n,) the logits that are missing to success, f6 of section V-A."""
        return (distance_to_boundary(logits, labels, self.targeted) + self.confidence).clamp_min(0)

    def begin(self, samples: MinimumNormState) -> _CarliniWagnerState:
        weight, step_size = self.scales(samples)
        zeros, angle = torch.zeros_like(weight), _angle(samples.images)
        return _CarliniWagnerState(
            **vars(samples),
            angle=angle,
            mean=torch.zeros_like(angle),
            square=torch.zeros_like(angle),
            step_size=step_size if self.step_size is None else zeros + self.step_size,
            taken=zeros,
            weights=WeightSearch.of(weight if self.first_weight is None else zeros + self.first_weight),
        )

    def scales(self, samples: MinimumNormState) -> tuple[Tensor, Tensor]:
        """(n,) twice the smallest weight with which a linear model is fooled, and a tenth of the way to fooling it."""
        images = samples.images
        _, values, gradient = value_and_gradient(self.model, images, self.missing, samples.labels)
        multiple = multiple_to_zero(values, gradient)
        boundary = (images - batch_view(multiple, gradient) * gradient).clamp(0, 1)
        step_size = (0.1 * linf(_angle(boundary) - _angle(images))).clamp_max(MAX_STEP)
        # Fewer steps are longer, so that they lead as far.
        return (4 * multiple).clamp_max(MAX_WEIGHT), step_size * max(1.0, FULL_STEPS / self.steps)

    def step(self, state: _CarliniWagnerState) -> Tensor:
        points, weights = _points(state.angle), state.weights
        logits, values, gradient = value_and_gradient(self.model, points, self.missing, state.labels)
        fooled = is_fooled(logits, state.labels, self.targeted) & (values == 0)
        state.keep_nearest(points, fooled)
        weights.fooled = weights.fooled | fooled
        warn_if_vanished(gradient, values > 0)
        # Of |delta|^2 + c f, by the points and then by the angles.
        by_points = 2 * (points - state.images) + batch_view(weights.weight, gradient) * gradient
        self.adam(state, by_points * torch.cos(state.angle) / 2)
        ended = state.taken == self.steps
        weights.next(ended)
        if ended.any():
            _begin_again(state, ended)
        return weights.done == self.searches

    def adam(self, state: _CarliniWagnerState, gradient: Tensor) -> None:
        """One step of Adam (Kingma and Ba 2015, algorithm 1), whose size falls linearly."""
        state.taken = state.taken + 1
        state.mean = 0.9 * state.mean + 0.1 * gradient
        state.square = 0.999 * state.square + 0.001 * gradient.square()
        mean = state.mean / batch_view(1 - 0.9**state.taken, gradient)
        square = state.square / batch_view(1 - 0.999**state.taken, gradient)
        length = state.step_size * (1 - (state.taken - 1) / self.steps)
        state.angle = state.angle - batch_view(length, gradient) * mean / (square.sqrt() + 1e-12)


def _begin_again(state: _CarliniWagnerState, ended: Tensor) -> None:
    """Go back to the clean images where the minimisation has ended (n,)."""
    again = batch_view(ended, state.angle)
    state.angle = torch.where(again, _angle(state.images), state.angle)
    state.mean, state.square = torch.where(again, 0, state.mean), torch.where(again, 0, state.square)
    state.taken = torch.where(ended, 0, state.taken)


def _points(angle: Tensor) -> Tensor:
    """The images (n, ...) in [0, 1] that belong to angles.

    The paper's change of variables (section V-B) with a sine in place of the hyperbolic tangent, whose ends lie at
    infinity: values at 0 or 1 would hardly move.
    """
    return (1 + torch.sin(angle)) / 2


def _angle(points: Tensor) -> Tensor:
    """The angles (n, ...) that belong to images; a hair off the ends, where the derivative of the sine is 0."""
    return torch.asin((2 * points - 1).clamp(-1 + 1e-6, 1 - 1e-6))
