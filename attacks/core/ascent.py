"""The loop that gradient attacks within a bound share: take the gradient, step, project back into the ball."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..errors import AttackError
from .active_batch import State
from .ball import Ball, BoundedSamples, per_sample
from .labels import labels_or_predictions
from .losses import Loss, is_fooled
from .model import Model, logits_of, value_and_gradient, warn_if_vanished
from .norms import batch_view, norm_named
from .seeds import Noise
from .unseen import undo_unseen

# A forward pass costs about this share of one with its backward pass. Where as many of the points fool, it pays to pass
# all of them forward first, and to take gradients only of those that do not; else the pass that shows who is fooled is
# also the forward pass of the next step.
FORWARD_FIRST = 0.45
UNKNOWN = -1  # in place of labels that are what the model predicts at the first points, which are the images


@dataclass
class AscentSamples(BoundedSamples):
    """The samples that an ascent is given."""

    step_size: Tensor  # (n,) lengths
    start: Tensor | None = None  # (n, ...) the first point, in place of the image or a random one


@dataclass
class AscentState(State):
    """An ascent that goes on."""

    ball: Ball
    labels: Tensor
    noise: Noise
    step_size: Tensor
    points: Tensor  # (n, ...)
    result: Tensor  # (n, ...) the best point at which a run has ended
    best: Tensor  # (n,) the loss there
    taken: Tensor  # (n,) steps since the start
    robust: Tensor  # (n,) whether a forward pass has shown that the points do not fool
    starts: Tensor  # (n,) how many there were
    seen: Tensor  # (n, ...) where a gradient was other than zero


@dataclass(kw_only=True)
class Ascent:
    """Iterated gradient ascent. For every sample it keeps a point that fools, else the one of the highest loss."""

    model: Model
    objective: Loss  # what is raised
    steps: int  # from each start
    random_start: bool = False
    restarts: int = 1  # how many starts there are; all but the first are random
    targeted: bool = False
    stop_when_fooled: bool = False
    fooled_share: float = field(default=1.0, init=False)  # of the points that the model was last queried with

    def __post_init__(self) -> None:
        if self.steps < 1 or self.restarts < 1:
            raise AttackError(f"steps and restarts are 1 or more, not {self.steps} and {self.restarts}")

    def begin(self, samples: AscentSamples) -> AscentState:
        ball, noise = samples.ball, samples.noise
        points = ball.images.clone() if samples.start is None else ball.project(samples.start)
        points = ball.random(noise) if self.random_start and samples.start is None else points
        zeros = torch.zeros(len(points), device=points.device)
        return AscentState(
            ball=ball,
            labels=samples.labels,
            noise=noise,
            step_size=samples.step_size,
            points=points,
            result=ball.quantized(points),
            best=zeros.to(points.dtype) - torch.inf,
            taken=zeros.long(),
            robust=zeros.bool(),
            starts=zeros.long() + 1,
            seen=torch.zeros_like(points, dtype=torch.bool),
        )

    def step(self, state: AscentState) -> Tensor:
        done = self.one_step(state)
        # In training, which draws for a whole batch, the noise is wanted.
        if self.is_noisy(state) and done.any():
            undo_unseen(self, state, done)
        return done

    def is_noisy(self, state: AscentState) -> bool:
        """Whether starts are random, and what this does where the model sees nothing is to be undone."""
        return (self.random_start or self.restarts > 1) and state.noise.generator is None

    def one_step(self, state: AscentState) -> Tensor:
        """As ``step``, whose results may differ where the model sees nothing."""
        points = state.ball.quantized(state.points)
        if self.stop_when_fooled and self.fooled_share >= FORWARD_FIRST:
            fooled = self.fooled_by_forward_pass(state, points)
            if fooled.any():
                return fooled
        unproven = self.unproven(state)
        logits, values, gradient = self.value_and_gradient(state, points)
        if self.is_noisy(state):
            state.seen = state.seen | (gradient != 0)
        fooled = is_fooled(logits, state.labels, self.targeted)
        if unproven.any():
            self.fooled_share = float(fooled[unproven].float().mean())
        ended = self.has_ended(state, fooled)
        if self.stop_when_fooled or self.restarts > 1:  # else the last point is the result, whether it fools or not
            self.keep_best(state, points, values, fooled)
        self.move(state, gradient, ~ended, fooled)
        done = ended & ((state.starts == self.restarts) | (fooled & self.stop_when_fooled))
        if (ended & ~done).any():
            self.restart(state, ended & ~done)
        if not self.stop_when_fooled and self.restarts == 1 and bool((state.taken == self.steps).all()):
            state.result = state.ball.quantized(state.points)
            return torch.ones_like(done)
        return done

    def value_and_gradient(self, state: AscentState, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The logits, the values of what is raised, and its gradient at the points, where any is needed."""
        known = (state.taken > 0) if self.is_noisy(state) else torch.ones_like(state.robust)  # what the model sees
        return value_and_gradient(
            self.model,
            points,
            lambda logits, _: self.objective(logits, self.labels_by(state, logits)),
            state.labels,
            skip=lambda logits: self.has_ended(state, is_fooled(logits, state.labels, self.targeted)) & known,
        )

    def labels_by(self, state: AscentState, logits: Tensor) -> Tensor:
        """(n,) the labels; those that are not known yet are what is predicted, in the same pass as the gradient."""
        unknown = state.labels == UNKNOWN
        if unknown.any():
            state.labels = torch.where(unknown, logits.argmax(1), state.labels)
        return state.labels

    def direction(self, state: AscentState, gradient: Tensor) -> Tensor:
        """The step (n, ...) to take for a gradient (n, ...): along the steepest direction of the norm."""
        length = batch_view(state.step_size, gradient)
        return norm_named(state.ball.norm).step(gradient, state.points, length)

    def has_ended(self, state: AscentState, fooled: Tensor) -> Tensor:
        """(n,) whether the run from the last start is over."""
        return (state.taken == self.steps) | (fooled & self.stop_when_fooled)

    def unproven(self, state: AscentState) -> Tensor:
        """(n,) whether points have moved since a forward pass has shown whether they fool."""
        return (state.taken > 0) & ~state.robust

    def fooled_by_forward_pass(self, state: AscentState, points: Tensor) -> Tensor:
        """(n,) whether points fool; only those that are unproven are passed."""
        unproven, fooled = self.unproven(state), torch.zeros_like(state.robust)
        if unproven.any():
            logits = logits_of(self.model, points[unproven])
            fooled[unproven] = is_fooled(logits, state.labels[unproven], self.targeted)
            self.fooled_share = float(fooled[unproven].float().mean())
            state.robust = state.robust | unproven
            state.result = torch.where(batch_view(fooled, points), points, state.result)
        return fooled

    def keep_best(self, state: AscentState, points: Tensor, values: Tensor, fooled: Tensor) -> None:
        """Keep the points at which runs have ended; one that fools is better than any that does not."""
        if self.stop_when_fooled:
            values = torch.where(fooled, torch.inf, values)
        else:
            values = values + fooled * 1e6
        better = self.has_ended(state, fooled) & (values > state.best)
        state.best = torch.where(better, values, state.best)
        state.result = torch.where(batch_view(better, points), points, state.result)

    def move(self, state: AscentState, gradient: Tensor, moving: Tensor, fooled: Tensor) -> None:
        """Take a step with the samples (n,) whose run goes on."""
        if not moving.any():
            return
        warn_if_vanished(gradient, moving & ~fooled)
        points = state.ball.project(state.points + self.direction(state, gradient))
        state.points = points if moving.all() else torch.where(batch_view(moving, points), points, state.points)
        state.taken, state.robust = state.taken + moving, state.robust & ~moving

    def restart(self, state: AscentState, again: Tensor) -> None:
        """Begin anew at random points with the samples of a mask (n,)."""
        fresh = state[again]
        fresh.points = fresh.ball.random(fresh.noise)
        fresh.taken, fresh.starts = torch.zeros_like(fresh.taken), fresh.starts + 1
        state[again] = fresh


def labels_at_first(model: Model, images: Tensor, labels: Tensor | None, targeted: bool, elsewhere: bool) -> Tensor:
    """(N,) the labels, checked; where none are given, they follow from the first pass, if it is not ``elsewhere``."""
    if labels is None and not targeted and not elsewhere:
        return torch.full(images.shape[:1], UNKNOWN, device=images.device)
    return labels_or_predictions(model, images, labels, targeted)


def step_sizes(ball: Ball, step_size: float | Tensor | None, default: Tensor) -> Tensor:
    """(n,) step sizes in the type of the images: one for all samples, one for each, or the default (n,)."""
    lengths = default if step_size is None else per_sample(step_size, ball.images, "step_size")
    if not ((lengths >= 0) & lengths.isfinite()).all():
        raise AttackError(f"step_size is a number of 0 or more, not {step_size}")
    return lengths.to(ball.images.dtype)
