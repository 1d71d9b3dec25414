"""Auto-PGD (Croce and Hein 2020, https://arxiv.org/abs/2003.01690)."""

import torch
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.ball import Ball
from .core.labels import labels_or_predictions, wrong_classes
from .core.losses import Loss, fooled, logits_of, objective, slope, targeted_dlr, warn_of_vanished
from .core.norms import columns, norm_named
from .core.seeds import Noise, Seed
from .errors import AttackError

MOMENTUM = 0.75  # alpha: the share of the new direction
LEAST_RISES = 0.75  # rho: below this share of rising steps the step was too long


def apgd(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor = 8 / 255,
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
    """PGD with momentum that halves its step where that no longer raises the loss, and goes on from the peak.

    The first step is as long as the ball is wide (section 3); whether to halve it is asked at
    checkpoints that come ever closer (eq. 2 and conditions 1 and 2).

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        eps: radius of the ball, one for all or (N,).
        norm: "Linf" or "L2".
        steps: in each run.
        restarts: how many starts; for every sample, what fools is kept.
        loss: what is raised: "cross_entropy" (the default), "dlr", "margin" or a function of logits and labels.
        target_classes: for so many of the likeliest wrong classes in turn, raise the targeted difference of
            logits ratio instead (APGD-T); whichever class comes out, the sample is fooled.
        targeted: whether the labels are the classes wanted.
        stop_when_fooled: whether a sample is left alone once it is fooled.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.
        seed: of the starts: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly: what fools, else what raised the loss most.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    _check(norm, steps, restarts, loss, target_classes, targeted)
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_or_predictions(model, images, labels, targeted)
    every_noise = Noise.of(seed, len(labels))
    raised = objective(loss or "cross_entropy", targeted)
    since_last = _checkpoints(steps).to(images.device)

    def begin(numbers: Tensor) -> Rows:
        chosen = numbers.to(labels.device)
        here, noise, true = ball[chosen], every_noise[numbers], labels[chosen]
        run, wanted = _start(here, noise), true[:, None]
        if target_classes:
            with torch.no_grad():
                wanted = wrong_classes(logits_of(model, here.images), true, target_classes)
        return Rows(
            ball=here,
            noise=noise,
            labels=true,
            wanted=wanted,
            run=run,
            result=here.snap(run.points),
            best=run.peak_value.clone(),
            fooled=torch.zeros_like(true, dtype=torch.bool),
            begun=torch.zeros_like(true),
        )

    def step(now: Rows) -> Tensor:
        run, seen, kinds = now.run, now.ball.snap(now.run.points), now.wanted.shape[1]
        wanted = now.wanted.gather(1, (now.begun % kinds)[:, None])[:, 0]
        last = run.taken == steps

        def value(logits: Tensor) -> Tensor:
            return targeted_dlr(logits, now.labels, wanted) if target_classes else raised(logits, now.labels)

        def over(logits: Tensor) -> Tensor:
            return last | (fooled(logits, now.labels, targeted) & stop_when_fooled)

        logits, values, gradient = slope(model, seen, value, enough=over)
        hit = fooled(logits, now.labels, targeted)
        _keep_best(now, seen, values, hit)
        done = (hit & stop_when_fooled) | (last & (now.begun + 1 == kinds * restarts))
        warn_of_vanished(gradient, ~hit & ~over(logits))
        gradient = _look_back(run, values, gradient, since_last[run.taken])
        _move(run, now.ball, norm, gradient)
        if (last & ~done).any():
            _start_again(now, last & ~done)
        return done

    return work_off(len(labels), begin, step, batch_size=batch_size)


def _check(norm: str, steps: int, restarts: int, loss: str | Loss | None, target_classes: int, targeted: bool) -> None:
    if norm not in ("Linf", "L2"):
        raise AttackError(f"Auto-PGD knows Linf and L2, not {norm!r}; pgd knows more norms")
    if steps < 1 or restarts < 1 or target_classes < 0:
        raise AttackError(f"steps and restarts are 1 or more, not {steps} and {restarts}; target classes 0 or more")
    if target_classes and (targeted or loss is not None):
        raise AttackError("with target_classes, the classes wanted and the loss follow; leave targeted and loss out")


def _start(ball: Ball, noise: Noise) -> Rows:
    """A run from a random point at eps of each sample."""
    known = norm_named(ball.norm)
    drawn = known.random(ball.images, noise)
    points = ball.project(ball.images + drawn * columns(ball.eps / known.size(drawn), drawn).to(drawn.dtype))
    nothing = torch.zeros(len(points), dtype=points.dtype, device=points.device)
    return Rows(
        points=points,
        before=points,
        step_size=(2 * ball.eps).to(points.dtype),
        taken=nothing.long(),
        value=nothing - torch.inf,
        rises=nothing.long(),
        halved=nothing.bool(),
        peak=points,
        peak_gradient=torch.zeros_like(points),
        peak_value=nothing - torch.inf,
        peak_then=nothing - torch.inf,
    )


def _start_again(now: Rows, again: Tensor) -> None:
    noise = now.noise[again]
    fresh = _start(now.ball[again], noise)
    now.noise.drawn[again.cpu()] = noise.drawn
    now.begun = now.begun + again
    for name, column in vars(fresh).items():
        setattr(now.run, name, getattr(now.run, name).index_put((again,), column))


def _keep_best(now: Rows, seen: Tensor, values: Tensor, hit: Tensor) -> None:
    better = (hit & ~now.fooled) | ((hit == now.fooled) & (values > now.best))
    now.best = torch.where(better, values, now.best)
    now.result = torch.where(columns(better, seen), seen, now.result)
    now.fooled = now.fooled | hit


def _look_back(run: Rows, values: Tensor, gradient: Tensor, since_last: Tensor) -> Tensor:
    """Remember the peak; at a checkpoint, halve the step and go back to the peak if it did not serve.

    Returns:
        (n, ...) the gradient at the point to go on from.
    """
    run.rises = run.rises + ((values > run.value) & (run.taken > 0))
    run.value = values
    higher = values > run.peak_value
    run.peak_value = torch.where(higher, values, run.peak_value)
    run.peak = torch.where(columns(higher, gradient), run.points, run.peak)
    run.peak_gradient = torch.where(columns(higher, gradient), gradient, run.peak_gradient)
    run.peak_then = torch.where(run.taken == 0, values, run.peak_then)
    at = since_last > 0
    seldom = run.rises <= LEAST_RISES * since_last  # condition 1, with the authors' code; the paper has <
    stuck = ~run.halved & (run.peak_then >= run.peak_value)  # condition 2
    halve = at & (seldom | stuck)
    run.step_size = torch.where(halve, run.step_size / 2, run.step_size)
    run.points = torch.where(columns(halve, gradient), run.peak, run.points)
    run.halved = torch.where(at, halve, run.halved)
    run.peak_then = torch.where(at, run.peak_value, run.peak_then)
    run.rises = torch.where(at, 0, run.rises)
    return torch.where(columns(halve, gradient), run.peak_gradient, gradient)


def _move(run: Rows, ball: Ball, norm: str, gradient: Tensor) -> None:
    """Equation 1, the first time without momentum."""
    ahead = ball.project(run.points + columns(run.step_size, run.points) * norm_named(norm).steepest(gradient))
    share = columns(torch.where(run.taken == 0, 1.0, MOMENTUM).to(ahead), ahead)
    moved = ball.project(run.points + share * (ahead - run.points) + (1 - share) * (run.points - run.before))
    run.before, run.points = run.points, moved
    run.taken = run.taken + 1


def _checkpoints(steps: int) -> Tensor:
    """(steps + 1,) for each number of steps taken, how long ago the last checkpoint was; 0 where there is none.

    Periods start at 0.22 of the steps and become 0.03 shorter each time, down to 0.06 (section 3.1).
    """
    period, least, shorter = (max(int(share * steps), 1) for share in (0.22, 0.06, 0.03))
    since_last = torch.zeros(steps + 1, dtype=torch.int64)
    place = period
    while place <= steps:
        since_last[place] = period
        period = max(period - shorter, least)
        place += period
    return since_last
