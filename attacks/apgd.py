"""Auto-PGD (Croce and Hein 2020, https://arxiv.org/abs/2003.01690)."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from .core.active_batch import State, run_until_done
from .core.ball import Ball, BoundedSamples
from .core.contract import attack
from .core.labels import labels_or_predictions, likeliest_wrong
from .core.losses import Loss, is_fooled, objective, targeted_dlr
from .core.model import Model, logits_of, value_and_gradient, warn_if_vanished
from .core.norms import batch_view, norm_named
from .core.seeds import Noise, Seed
from .core.unseen import undo_unseen
from .errors import AttackError
from .norm_names import norm_name

MOMENTUM = 0.75  # alpha: the share of the new direction
MIN_RISES = 0.75  # rho: with a smaller share of rising steps, the step was too long


@attack
def apgd(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    steps: int = 100,
    restarts: int = 1,
    loss: str | Loss | None = None,
    target_classes: int = 0,
    targeted: bool = False,
    stop_when_fooled: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """PGD with momentum that halves its step, and returns to the best point, when the loss stops rising.

    The first step is as long as the ball is wide (section 3). Whether to halve it is decided at checkpoints that come
    ever closer (eq. 2, conditions 1 and 2).

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: the largest change, in the norm: one for all samples, or (N,); by default 8/255 in Linf, and in L2 two
            levels of each value (3 for 224 x 224 pixels in colour).
        norm: what eps bounds: "Linf" each value, "L2" the root of the sum of squares.
        steps: number of steps of each run.
        restarts: number of starts; for every sample, a point that fools is kept.
        loss: what is raised: "cross_entropy" (the default), "dlr", "margin" or a function of logits and labels.
        target_classes: raise the targeted difference of logits ratio instead, for so many of the likeliest wrong
            classes in turn (APGD-T); the sample is fooled whichever class wins.
        targeted: whether the labels are the classes to reach.
        stop_when_fooled: whether a sample is finished as soon as it is fooled.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.
        seed: of the starts: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly: a point that fools, else the one of the highest loss.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm, ("Linf", "L2"), "Auto-PGD", "; pgd knows more norms")
    if target_classes and (targeted or loss is not None):
        raise AttackError("with target_classes, the targets and the loss follow; leave targeted and loss out")
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_or_predictions(model, images, labels, targeted)
    search = _AutoPGD(
        model=model,
        objective=objective(loss or "cross_entropy", targeted),
        steps=steps,
        restarts=restarts,
        target_classes=target_classes,
        targeted=targeted,
        stop_when_fooled=stop_when_fooled,
        periods=_checkpoints(steps).to(images.device),
    )
    samples = BoundedSamples(ball, labels, Noise.of(seed, images))
    return run_until_done(search, samples, batch_size=batch_size)


@dataclass
class _Run(State):
    """One run of algorithm 1, from one start."""

    points: Tensor  # (n, ...)
    previous: Tensor  # (n, ...) the points before the last step
    step_size: Tensor  # (n,) eta
    taken: Tensor  # (n,) steps
    value: Tensor  # (n,) the loss at the last points
    rises: Tensor  # (n,) steps that raised the loss since the last checkpoint
    halved: Tensor  # (n,) whether the step size was halved at the last checkpoint
    peak: Tensor  # (n, ...) the points of the highest loss, the gradient and the loss there
    peak_gradient: Tensor
    peak_value: Tensor
    checkpoint_peak: Tensor  # (n,) the highest loss at the last checkpoint

    def adapt_step(self, values: Tensor, gradient: Tensor, period: Tensor) -> Tensor:
        """Keep the peak; at a checkpoint, halve the step and return to the peak if the step was too long.

        The period (n,) is that of `_checkpoints`. The result is the gradient (n, ...) at the points to go on from.
        """
        self.rises = self.rises + ((values > self.value) & (self.taken > 0))
        self.value = values
        higher = values > self.peak_value
        self.peak_value = torch.where(higher, values, self.peak_value)
        self.peak = torch.where(batch_view(higher, gradient), self.points, self.peak)
        self.peak_gradient = torch.where(batch_view(higher, gradient), gradient, self.peak_gradient)
        self.checkpoint_peak = torch.where(self.taken == 0, values, self.checkpoint_peak)
        at_checkpoint = period > 0
        seldom = self.rises <= MIN_RISES * period  # condition 1, as in the authors' code; the paper has <
        stuck = ~self.halved & (self.checkpoint_peak >= self.peak_value)  # condition 2
        halve = at_checkpoint & (seldom | stuck)
        self.step_size = torch.where(halve, self.step_size / 2, self.step_size)
        self.points = torch.where(batch_view(halve, gradient), self.peak, self.points)
        self.halved = torch.where(at_checkpoint, halve, self.halved)
        self.checkpoint_peak = torch.where(at_checkpoint, self.peak_value, self.checkpoint_peak)
        self.rises = torch.where(at_checkpoint, 0, self.rises)
        return torch.where(batch_view(halve, gradient), self.peak_gradient, gradient)

    def move(self, ball: Ball, gradient: Tensor) -> None:
        """Equation 1; the first step has no momentum."""
        direction = norm_named(ball.norm).steepest(gradient)
        ahead = ball.project(self.points + batch_view(self.step_size, direction) * direction)
        share = batch_view(torch.where(self.taken == 0, 1.0, MOMENTUM).to(ahead), ahead)
        moved = ball.project(self.points + share * (ahead - self.points) + (1 - share) * (self.points - self.previous))
        self.previous, self.points = self.points, moved
        self.taken = self.taken + 1


@dataclass
class _AutoPGDState(BoundedSamples):
    targets: Tensor  # (n, K) for as many runs in turn
    run: _Run
    runs: Tensor  # (n,) that have ended
    result: Tensor  # (n, ...) the best points of all runs, the loss there, and whether they fool
    best: Tensor
    fooled: Tensor
    seen: Tensor  # (n, ...) where a gradient was other than zero

    def keep_best(self, points: Tensor, values: Tensor, fooled: Tensor) -> None:
        """Keep points that fool, else those of the highest loss."""
        better = (fooled & ~self.fooled) | ((fooled == self.fooled) & (values > self.best))
        self.best = torch.where(better, values, self.best)
        self.result = torch.where(batch_view(better, points), points, self.result)
        self.fooled = self.fooled | fooled


@dataclass(kw_only=True)
class _AutoPGD:
    model: Model
    objective: Loss
    steps: int
    restarts: int
    target_classes: int
    targeted: bool
    stop_when_fooled: bool
    periods: Tensor  # (steps + 1,) of `_checkpoints`

    def begin(self, samples: BoundedSamples) -> _AutoPGDState:
        ball, labels = samples.ball, samples.labels
        run, targets = _started(ball, samples.noise), labels[:, None]
        if self.target_classes:
            targets = likeliest_wrong(logits_of(self.model, ball.images), labels, self.target_classes)
        return _AutoPGDState(
            **vars(samples),
            targets=targets,
            run=run,
            runs=torch.zeros_like(labels),
            result=ball.quantized(run.points),
            best=run.peak_value,
            fooled=torch.zeros_like(labels, dtype=torch.bool),
            seen=torch.zeros_like(run.points, dtype=torch.bool),
        )

    def step(self, state: _AutoPGDState) -> Tensor:
        run, points, loss = state.run, state.ball.quantized(state.run.points), self.objective
        last = run.taken == self.steps
        if self.target_classes:
            turn = state.runs % state.targets.shape[1]
            loss = partial(targeted_dlr, targets=state.targets.gather(1, turn[:, None])[:, 0])

        def ended(logits: Tensor) -> Tensor:
            known = run.taken > 0  # what the model sees
            return last | (is_fooled(logits, state.labels, self.targeted) & self.stop_when_fooled & known)

        logits, values, gradient = value_and_gradient(self.model, points, loss, state.labels, skip=ended)
        fooled = is_fooled(logits, state.labels, self.targeted)
        state.seen = state.seen | (gradient != 0)
        state.keep_best(points, values, fooled)
        warn_if_vanished(gradient, ~fooled & ~ended(logits))
        run.move(state.ball, run.adapt_step(values, gradient, self.periods[run.taken]))
        state.runs = state.runs + last
        done = (fooled & self.stop_when_fooled) | (state.runs == state.targets.shape[1] * self.restarts)
        again = last & ~done
        if again.any():
            fresh = state[again]
            fresh.run = _started(fresh.ball, fresh.noise)
            state[again] = fresh
        if done.any():
            undo_unseen(self, state, done)
        return done


def _started(ball: Ball, noise: Noise) -> _Run:
    """A run from a random point at distance eps from each sample."""
    norm = norm_named(ball.norm)
    drawn = norm.random(ball.images, noise)
    points = ball.project(ball.images + drawn * batch_view(ball.eps / norm.size(drawn), drawn).to(drawn.dtype))
    zeros = torch.zeros(len(points), dtype=points.dtype, device=points.device)
    return _Run(
        points=points,
        previous=points,
        step_size=(2 * ball.eps).to(points.dtype),
        taken=zeros.long(),
        value=zeros - torch.inf,
        rises=zeros.long(),
        halved=zeros.bool(),
        peak=points,
        peak_gradient=torch.zeros_like(points),
        peak_value=zeros - torch.inf,
        checkpoint_peak=zeros - torch.inf,
    )


def _checkpoints(steps: int) -> Tensor:
    """(steps + 1,) for each number of steps taken, the period that ends at this checkpoint; 0 where there is none.

    The first period is 0.22 of the steps; each next one is shorter by 0.03, down to 0.06 (section 3.1).
    """
    period, shortest, shorter = (max(int(share * steps), 1) for share in (0.22, 0.06, 0.03))
    periods = torch.zeros(steps + 1, dtype=torch.int64)
    checkpoint = period
    while checkpoint <= steps:
        periods[checkpoint] = period
        period = max(period - shorter, shortest)
        checkpoint += period
    return periods
