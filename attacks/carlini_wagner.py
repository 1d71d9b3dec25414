"""The L2 attack of Carlini and Wagner (2017, https://arxiv.org/abs/1608.04644)."""

from collections.abc import Callable

import torch
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.losses import distance_to_boundary, fooled, slope, warn_of_vanished
from .core.minimum_norm import keep_nearest, least
from .core.norms import columns, l2, linf
from .errors import AttackError

MOST_WEIGHT = 1e10  # as in the authors' code
MOST_STEP = 0.05  # of an angle, which moves a grey value by 6 levels of an 8-bit file


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
    """Minimise the distance plus a weight times the logits missing, with the least weight that fools.

    The objective of section VI-A, ``|delta|^2 + c f(images + delta)`` with f6 of section V-A, is
    minimised by Adam; c is found by bisection, for every sample its own. The authors take 10,000
    steps of one length in each of 20 searches; here they grow shorter, and a few hundred do.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        confidence: by how many logits the wrong class shall win (kappa).
        steps: how many in each search.
        step_size: of Adam, at first; by default a tenth of what a linear model would need, at most 0.05. It
            falls to 0 in each search.
        searches: how many weights are tried.
        first_weight: the first one (c); by default what a linear model would need, so that the scale of
            the logits does not matter.
        targeted: whether the labels are the classes wanted.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.

    Returns:
        (N, ...) in [0, 1], of all that fooled the nearest in L2; clean pictures where they fool by
        themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    if steps < 1 or searches < 1:
        raise AttackError(f"Carlini-Wagner takes a step or more, in a search or more, not {steps} and {searches}")

    def missing(logits: Tensor, labels: Tensor) -> Tensor:
        return (distance_to_boundary(logits, labels, targeted) + confidence).clamp_min(0)

    def attack(images: Tensor, labels: Tensor, logits: Tensor, places: Tensor) -> Tensor:
        def begin(numbers: Tensor) -> Rows:
            chosen = numbers.to(labels.device)
            clean, labels_here = images[chosen], labels[chosen]
            weight, length = _scales(model, clean, lambda logits: missing(logits, labels_here))
            far, zeros = torch.full_like(weight, torch.inf), torch.zeros_like(weight)
            start = _angle(clean)
            return Rows(
                images=clean,
                labels=labels_here,
                start=start,
                angle=start,
                mean=torch.zeros_like(start),
                square=torch.zeros_like(start),
                step_size=length if step_size is None else zeros + step_size,
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
            points = _point(now.angle)
            found, values, gradient = slope(model, points, lambda logits: -missing(logits, now.labels))
            hit = fooled(found, now.labels, targeted) & (values == 0)
            keep_nearest(now, points, hit)
            now.won = now.won | hit
            warn_of_vanished(gradient, values < 0)
            by_point = 2 * (points - now.images) - columns(now.weight, gradient) * gradient
            now.taken = now.taken + 1
            _adam(now, by_point * torch.cos(now.angle) / 2, 1 - (now.taken - 1) / steps)
            _search_on(now, now.taken == steps)
            return now.searched == searches

        return work_off(len(labels), begin, step, batch_size=batch_size)

    return least(model, images, labels, attack, targeted=targeted, quantize=quantize, batch_size=batch_size)


def _point(angle: Tensor) -> Tensor:
    """Pictures from what Adam changes.

    The paper's change of variables (section V-B) with a sine for the hyperbolic tangent, whose ends lie
    at infinity: values at 0 or 1 would hardly move.
    """
    return (1 + torch.sin(angle)) / 2


def _angle(points: Tensor) -> Tensor:
    """What ``_point`` makes pictures from; a hair off the ends, where the slope is 0."""
    return torch.asin((2 * points - 1).clamp(-1 + 1e-6, 1 - 1e-6))


def _scales(model: Model, images: Tensor, missing: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """(n,) twice the least weight with which a linear model is fooled, and a tenth of the way there."""
    _, values, gradient = slope(model, images, missing)
    squared = l2(gradient).square().clamp_min(torch.finfo(gradient.dtype).tiny)
    there = (images - columns(values / squared, gradient) * gradient).clamp(0, 1)
    length = 0.1 * linf(_angle(there) - _angle(images))
    return (4 * values / squared).clamp_max(MOST_WEIGHT), length.clamp_max(MOST_STEP)


def _adam(now: Rows, gradient: Tensor, share: Tensor) -> None:
    """One step of Adam (Kingma and Ba 2015, algorithm 1), of a share of the step size."""
    now.mean = 0.9 * now.mean + 0.1 * gradient
    now.square = 0.999 * now.square + 0.001 * gradient.square()
    mean = now.mean / columns(1 - 0.9**now.taken, gradient)
    square = now.square / columns(1 - 0.999**now.taken, gradient)
    now.angle = now.angle - columns(now.step_size * share, gradient) * mean / (square.sqrt() + 1e-12)


def _search_on(now: Rows, ended: Tensor) -> None:
    """Where a search has ended, begin the next: a smaller weight after one that fooled, else a larger one."""
    now.high = torch.where(ended & now.won, now.weight, now.high)
    now.low = torch.where(ended & ~now.won, now.weight, now.low)
    larger = torch.where(now.high.isinf(), (now.weight * 10).clamp_max(MOST_WEIGHT), (now.low + now.high) / 2)
    now.weight = torch.where(ended, larger, now.weight)
    now.angle = torch.where(columns(ended, now.angle), now.start, now.angle)
    now.mean, now.square = (torch.where(columns(ended, part), 0, part) for part in (now.mean, now.square))
    now.taken = torch.where(ended, 0, now.taken)
    now.searched = now.searched + ended
    now.won = now.won & ~ended
