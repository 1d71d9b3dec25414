"""The attack of Szegedy et al. (2014, https://arxiv.org/abs/1312.6199), by box-constrained L-BFGS."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.losses import cross_entropy, fooled, margin, slope, warn_of_vanished
from .core.minimum_norm import keep_nearest, least, likeliest_wrong
from .core.norms import columns, l2
from .errors import AttackError

MEMORY = 8  # pairs of steps and changes of the gradient that a sample remembers
MOST_WEIGHT = 1e10


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
    """Minimise the distance plus a weight times the loss, with the least weight that fools (section 4.1).

    ``|r|^2 + c loss(images + r, target)`` within [0, 1] is minimised by L-BFGS, whose steps end at the box;
    c is found by bisection, for every sample its own.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        steps: how many points are looked at in each search.
        searches: how many weights are tried.
        first_weight: the first one (c); by default what a linear model would need.
        targeted: whether the labels are the classes wanted; else the likeliest wrong class is gone for.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.

    Returns:
        (N, ...) in [0, 1], of all that fooled the nearest in L2; clean pictures where they fool by
        themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    if steps < 2 or searches < 1:
        raise AttackError(f"L-BFGS takes two steps or more, in a search or more, not {steps} and {searches}")

    def attack(images: Tensor, labels: Tensor, logits: Tensor, places: Tensor) -> Tensor:
        wanted = likeliest_wrong(logits, labels, targeted)

        def begin(numbers: Tensor) -> Rows:
            chosen = numbers.to(labels.device)
            clean = images[chosen]
            weight = _weight(model, clean, wanted[chosen])
            far, zeros = torch.full_like(weight, torch.inf), torch.zeros_like(weight)
            return Rows(
                images=clean,
                labels=labels[chosen],
                wanted=wanted[chosen],
                points=clean,
                trial=clean,
                value=far,
                gradient=torch.zeros_like(clean),
                direction=torch.zeros_like(clean),
                length=zeros + 1,
                steps=clean.flatten(1)[:, None].repeat(1, MEMORY, 1) * 0,
                changes=clean.flatten(1)[:, None].repeat(1, MEMORY, 1) * 0,
                weight=weight if first_weight is None else zeros + first_weight,
                low=zeros,
                high=far,
                taken=zeros,
                searched=zeros,
                won=zeros > 0,
                best=far,
                result=clean,
            )

        def step(now: Rows) -> Tensor:
            found, loss, gradient = slope(
                model, now.trial, lambda logits: F.softplus(cross_entropy(logits, now.wanted))
            )
            hit = fooled(found, now.labels, targeted)
            keep_nearest(now, now.trial, hit)
            warn_of_vanished(gradient, ~hit)
            now.won = now.won | hit
            delta = now.trial - now.images
            value = l2(delta).square() + now.weight * loss
            _judge(now, value, 2 * delta + columns(now.weight, gradient) * gradient)
            now.taken = now.taken + 1
            now.trial = (now.points + columns(now.length, delta) * now.direction).clamp(0, 1)
            still = l2(now.trial - now.points) <= 1e-4 * l2(now.points - now.images)
            _search_on(now, (now.taken == steps) | (still & (now.taken > 1)))
            return now.searched == searches

        return work_off(len(labels), begin, step, batch_size=batch_size)

    return least(model, images, labels, attack, targeted=targeted, quantize=quantize, batch_size=batch_size)


def _loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """(n,) the cross-entropy, from the log-odds."""
    return F.softplus(cross_entropy(logits, wanted))


def _weight(model: Model, images: Tensor, wanted: Tensor) -> Tensor:
    """(n,) twice the least weight with which a linear model is fooled."""
    _, values, gradient = slope(model, images, lambda logits: margin(logits, wanted))
    squared = l2(gradient).square().clamp_min(torch.finfo(gradient.dtype).tiny)
    return (8 * values.clamp_min(0) / squared).clamp(torch.finfo(gradient.dtype).tiny, MOST_WEIGHT)


def _judge(now: Rows, value: Tensor, gradient: Tensor) -> None:
    """Take the trial if it is low enough (Armijo), and turn to a new direction; else come halfway back."""
    moved = now.trial - now.points
    expected = (now.gradient * moved).flatten(1).sum(1)
    taken = now.value.isinf() | (value <= now.value + 1e-4 * expected)
    change = gradient - now.gradient
    curved = taken & ~now.value.isinf() & ((moved * change).flatten(1).sum(1) > 1e-10 * l2(change).square())
    now.steps = _remembered(now.steps, moved, curved)
    now.changes = _remembered(now.changes, change, curved)
    at = columns(taken, moved)
    now.points, now.gradient = torch.where(at, now.trial, now.points), torch.where(at, gradient, now.gradient)
    now.value = torch.where(taken, value, now.value)
    now.length = torch.where(taken, 1, now.length / 2)
    now.direction = torch.where(at, _newton(now), now.direction)


def _remembered(memory: Tensor, newest: Tensor, which: Tensor) -> Tensor:
    return torch.where(which[:, None, None], torch.cat([memory[:, 1:], newest.flatten(1)[:, None]], 1), memory)


def _newton(now: Rows) -> Tensor:
    """(n, ...) the direction of L-BFGS (Nocedal 1980), of values that are not held at an end of [0, 1]."""
    held = ((now.points >= 1) & (now.gradient < 0)) | ((now.points <= 0) & (now.gradient > 0))
    free = (~held).flatten(1)
    direction = -now.gradient.flatten(1) * free
    products = (now.steps * now.changes).sum(2)
    known = products > 0
    inverse = torch.where(known, 1 / torch.where(known, products, 1), 0)
    shares = []
    for pair in reversed(range(MEMORY)):
        share = inverse[:, pair] * (now.steps[:, pair] * direction).sum(1)
        direction = direction - share[:, None] * now.changes[:, pair]
        shares.append(share)
    # Without a memory, the inverse of the squared distance's own curvature.
    curvature = now.changes[:, -1].square().sum(1)
    scale = torch.where(known[:, -1], products[:, -1] / torch.where(known[:, -1], curvature, 1), 0.5)
    direction = direction * scale[:, None]
    for pair in range(MEMORY):
        back = inverse[:, pair] * (now.changes[:, pair] * direction).sum(1)
        direction = direction + (shares[MEMORY - 1 - pair] - back)[:, None] * now.steps[:, pair]
    return (direction * free).view_as(now.points)


def _search_on(now: Rows, ended: Tensor) -> None:
    """Where a search has ended, begin the next: a smaller weight after one that fooled, else a larger one."""
    now.high = torch.where(ended & now.won, now.weight, now.high)
    now.low = torch.where(ended & ~now.won, now.weight, now.low)
    other = torch.where(now.high.isinf(), (now.weight * 10).clamp_max(MOST_WEIGHT), (now.low + now.high) / 2)
    now.weight = torch.where(ended, other, now.weight)
    again = columns(ended, now.points)
    now.points, now.trial = torch.where(again, now.images, now.points), torch.where(again, now.images, now.trial)
    now.value = torch.where(ended, torch.inf, now.value)
    now.length = torch.where(ended, 1, now.length)
    now.steps = torch.where(ended[:, None, None], 0, now.steps)
    now.changes = torch.where(ended[:, None, None], 0, now.changes)
    now.taken = torch.where(ended, 0, now.taken)
    now.searched = now.searched + ended
    now.won = now.won & ~ended
