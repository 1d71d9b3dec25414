"""The loop that the gradient attacks share: look, step, stay in the ball."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import AttackError
from .active_batch import Rows, work_off
from .ball import Ball, per_sample
from .losses import Loss, fooled, logits_of, objective, slope, warn_of_vanished
from .norms import columns, norm_named
from .seeds import Noise, Seed

Model = Callable[[Tensor], Tensor]
# A forward pass costs about a third of one with its backward. Asking first whether points fool, and going
# backward only from those that do not, is worth it where at least so many do.
WORTH_ASKING = 0.35


def climb(
    model: Model,
    ball: Ball,
    labels: Tensor,
    direction: Callable[[Rows, Tensor], Tensor],
    *,
    steps: int,
    random_start: bool,
    restarts: int = 1,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    stop_when_fooled: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
    start: Tensor | None = None,
    columns_of: Callable[[Tensor], dict[str, Tensor]] | None = None,
    look: Callable[[Rows, Tensor], tuple[Tensor, Tensor, Tensor]] | None = None,
) -> Tensor:
    """Raise a loss step by step within a ball.

    Args:
        model: from points (n, ...) in [0, 1] to logits (n, C).
        ball: around each of N samples.
        labels: (N,) the true classes, or those wanted.
        direction: takes the rows, with ``points`` and ``taken``, and the gradient (n, ...) there, and gives
            the step (n, ...).
        steps: how many, in each restart.
        random_start: whether the first start is drawn from the ball; those of restarts are anyway.
        restarts: how many starts; for every sample, what fools is kept, else what raised the loss most.
        loss: what is raised.
        targeted: whether the labels are those wanted.
        stop_when_fooled: whether samples leave as soon as they are fooled.
        batch_size: how many samples are worked on at a time.
        seed: of the starts.
        start: (N, ...) where the first start is, in place of the images.
        columns_of: from the points of new rows to what ``direction`` keeps besides.
        look: takes the rows, with their ``noise``, and the points seen, and gives what ``slope`` would.

    Returns:
        (N, ...) the last points, or with ``stop_when_fooled`` or restarts the best.
    """
    if steps < 1 or restarts < 1:
        raise AttackError(f"an attack takes a step or more, from a start or more, not {steps} and {restarts}")
    raised = objective(loss, targeted)
    every_noise = Noise.of(seed, len(labels))
    judged = stop_when_fooled or restarts > 1  # else nobody asks whether the last point fools
    fell = [1.0]  # the share of points that fooled when they were last asked

    def begin(numbers: Tensor) -> Rows:
        here, noise = ball[numbers.to(labels.device)], every_noise[numbers]
        points = here.images.clone() if start is None else here.project(start[numbers.to(labels.device)])
        points = here.random(noise) if random_start and start is None else points
        zeros = torch.zeros(len(numbers), device=points.device)
        return Rows(
            ball=here,
            noise=noise,
            labels=labels[numbers.to(labels.device)],
            points=points,
            result=here.snap(points),
            best=zeros.to(points.dtype) - torch.inf,
            taken=zeros.long(),
            asked=zeros.bool(),  # whether it is known that the points do not fool
            begun=zeros.long() + 1,
            **(columns_of(points) if columns_of else {}),
        )

    def ask(now: Rows, seen: Tensor) -> Tensor:
        """Who is fooled, among those that have moved; the others are known not to be."""
        moved, hit = (now.taken > 0) & ~now.asked, torch.zeros_like(now.asked)
        if moved.any():
            hit[moved] = fooled(logits_of(model, seen[moved]), now.labels[moved], targeted)
            fell[0] = float(hit[moved].float().mean())
            now.asked = now.asked | moved
            now.result = torch.where(columns(hit, seen), seen, now.result)
        return hit

    def step(now: Rows) -> Tensor:
        seen = now.ball.snap(now.points)
        if stop_when_fooled and look is None and fell[0] >= WORTH_ASKING:
            hit = ask(now, seen)
            if hit.any():
                return hit
        last = now.taken == steps

        def fools(logits: Tensor) -> Tensor:
            return fooled(logits, now.labels, targeted)

        def enough(logits: Tensor) -> Tensor:
            return last | (fools(logits) & stop_when_fooled)

        if look is not None:
            logits, values, gradient = look(now, seen)
        else:
            logits, values, gradient = slope(model, seen, lambda found: raised(found, now.labels), enough=enough)
        hit = fools(logits)
        if (now.taken > 0).any():
            fell[0] = float(hit[now.taken > 0].float().mean())
        if judged:
            # A point that fools is better than any that does not.
            values = torch.where(hit, torch.inf, values) if stop_when_fooled else values + hit * 1e6
            better = (last | (hit & stop_when_fooled)) & (values > now.best)
            now.best = torch.where(better, values, now.best)
            now.result = torch.where(columns(better, seen), seen, now.result)
        over = last | (hit & stop_when_fooled)
        done = (hit & stop_when_fooled) | (last & (now.begun == restarts))
        going = ~over
        if going.any():
            warn_of_vanished(gradient, going & ~hit)
            moved = now.ball.project(now.points + direction(now, gradient))
            now.points = moved if going.all() else torch.where(columns(going, moved), moved, now.points)
            now.taken, now.asked = now.taken + going, now.asked & ~going
        again = over & ~done
        if again.any():
            _begin_again(now, again, columns_of)
        if not judged and bool((now.taken == steps).all()):
            now.result = now.ball.snap(now.points)
            return torch.ones_like(done)
        return done

    return work_off(len(labels), begin, step, batch_size=batch_size)


def step_lengths(ball: Ball, step_size: float | Tensor | None, default: Tensor) -> Tensor:
    """(N,) lengths of a step in the images' own type: one for all samples, one for each, or the default (N,)."""
    lengths = default if step_size is None else per_sample(step_size, ball.images, "step_size")
    return lengths.to(ball.images.dtype)


def along_steepest(norm: str) -> Callable[[Rows, Tensor], Tensor]:
    """The direction of plain steps: ``ball.step_size`` long, where the norm is steepest."""
    steepest = norm_named(norm).steepest
    return lambda now, gradient: steepest(gradient) * columns(now.ball.step_size, gradient)


def _begin_again(now: Rows, again: Tensor, columns_of: Callable[[Tensor], dict[str, Tensor]] | None) -> None:
    here, noise = now.ball[again], now.noise[again]
    now.points[again] = here.random(noise)
    now.noise.drawn[again.cpu()] = noise.drawn
    now.taken[again] = 0
    now.begun[again] += 1
    for name, column in (columns_of(now.points) if columns_of else {}).items():
        getattr(now, name)[again] = column[again]
