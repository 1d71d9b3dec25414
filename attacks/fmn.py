"""Fast minimum-norm attacks (Pintor et al. 2021, https://arxiv.org/abs/2102.12827)."""

import math

import torch
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.losses import fooled, objective, slope, warn_of_vanished
from .core.minimum_norm import keep_nearest, least, movable
from .core.norms import columns, norm_named
from .errors import AttackError


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
    """Projected gradient steps in a ball whose radius homes in on the boundary (algorithm 1).

    Until something fools, the radius is the distance of the boundary of the linearised model; from
    then on it shrinks while points fool and grows while they do not, by ever smaller fractions.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        norm: "Linf" or "L2".
        steps: how many.
        step_size: L2 length of the first step (alpha), which falls along a cosine.
        change: by which fraction the radius changes at first (gamma), which falls along a cosine.
        targeted: whether the labels are the classes wanted.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.

    Returns:
        (N, ...) in [0, 1], of all that fooled the nearest; clean pictures where they fool by
        themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    if norm not in ("L2", "Linf"):
        raise AttackError(f"FMN is built for the norms L2 and Linf, not {norm!r}")
    if steps < 1 or not 0 < change < 1:
        raise AttackError(f"FMN takes a step or more, and changes eps by a fraction, not {steps} and {change}")
    raised = objective("margin", targeted)
    size, project, steepest = norm_named(norm).size, norm_named(norm).project, norm_named(norm).steepest
    straight = norm_named("L2").steepest  # gradients are followed by their L2 direction, whatever the norm

    def attack(images: Tensor, labels: Tensor, logits: Tensor, places: Tensor) -> Tensor:
        def begin(numbers: Tensor) -> Rows:
            chosen = numbers.to(labels.device)
            clean = images[chosen]
            far = torch.full_like(size(clean), torch.inf)
            return Rows(
                images=clean,
                labels=labels[chosen],
                points=clean,
                eps=torch.zeros_like(far),
                taken=torch.zeros_like(labels[chosen]),
                best=far,
                result=clean,
            )

        def step(now: Rows) -> Tensor:
            over = now.taken == steps
            found, values, gradient = slope(
                model, now.points, lambda logits: raised(logits, now.labels), enough=lambda logits: over
            )
            hit = fooled(found, now.labels, targeted)
            keep_nearest(now, now.points, hit, norm)
            if over.all():
                return over
            warn_of_vanished(gradient, ~over & ~hit)
            gradient = movable(gradient, now.points)  # else the distance of the boundary is taken for too small
            cosine = (1 + torch.cos(math.pi * now.taken.to(now.eps) / steps)) / 2
            fraction, length = change * cosine, step_size * cosine
            steepness = (gradient * steepest(gradient)).flatten(1).sum(1).clamp_min(torch.finfo(gradient.dtype).tiny)
            # With a hair more than to the boundary, so that the linear model's own is crossed.
            away = size(now.points - now.images) + values.abs() / steepness * (1 + fraction)
            shrunk = torch.minimum(now.eps * (1 - fraction), now.best)
            now.eps = torch.where(hit, shrunk, torch.where(now.best.isinf(), away, now.eps * (1 + fraction)))
            delta = now.points - now.images + columns(length, gradient) * straight(gradient)
            now.points = (now.images + project(delta, columns(now.eps, delta))).clamp(0, 1)
            now.taken = now.taken + 1
            return over

        return work_off(len(labels), begin, step, batch_size=batch_size)

    return least(model, images, labels, attack, targeted=targeted, quantize=quantize, batch_size=batch_size)
