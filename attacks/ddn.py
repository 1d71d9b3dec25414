"""Decoupled direction and norm (Rony et al. 2019, https://arxiv.org/abs/1811.09600)."""

import math

import torch
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.losses import fooled, objective, slope, warn_of_vanished
from .core.minimum_norm import keep_nearest, least
from .core.norms import columns, l2, norm_named
from .core.quantize import rounded
from .errors import AttackError


def ddn(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    steps: int = 100,
    step_size: float = 1.0,
    first_eps: float | None = None,
    change: float = 0.05,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Gradient steps on a sphere that shrinks while they fool, and grows while they do not (algorithm 1).

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        steps: how many (K).
        step_size: L2 length of the first step (alpha), which falls to a hundredth along a cosine.
        first_eps: radius of the first sphere; by default the distance of the boundary of the linearised model,
            at most 1. (In the paper 1, from where it takes 90 steps to come down to 0.01.)
        change: by which fraction the radius changes at each step (gamma).
        targeted: whether the labels are the classes wanted.
        quantize: whether everything that is looked at lies on the grid of an 8-bit file, as in the paper.
        batch_size: how many samples are worked on at a time; all by default.

    Returns:
        (N, ...) in [0, 1], of all that fooled the nearest in L2; clean pictures where they fool by
        themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    if steps < 1 or not 0 < change < 1:
        raise AttackError(f"DDN takes a step or more, and changes eps by a fraction, not {steps} and {change}")
    raised = objective("cross_entropy", targeted)
    steepest = norm_named("L2").steepest

    def attack(images: Tensor, labels: Tensor, logits: Tensor, places: Tensor) -> Tensor:
        def begin(numbers: Tensor) -> Rows:
            chosen = numbers.to(labels.device)
            clean = images[chosen]
            far = torch.full_like(l2(clean), torch.inf)
            near = _boundary(model, clean, labels[chosen], targeted)
            return Rows(
                images=clean,
                labels=labels[chosen],
                points=clean,
                eps=near if first_eps is None else torch.full_like(near, first_eps),
                taken=torch.zeros_like(labels[chosen]),
                best=far,
                result=clean,
            )

        def step(now: Rows) -> Tensor:
            over = now.taken == steps
            found, _, gradient = slope(
                model, now.points, lambda logits: raised(logits, now.labels), enough=lambda logits: over
            )
            hit = fooled(found, now.labels, targeted)
            keep_nearest(now, now.points, hit)
            warn_of_vanished(gradient, ~over & ~hit)
            length = step_size * (0.01 + 0.99 * (1 + torch.cos(math.pi * now.taken.to(now.eps) / steps)) / 2)
            delta = now.points - now.images + columns(length, gradient) * steepest(gradient)
            # The clean picture, where all begin, does not fool; so the sphere grows first.
            now.eps = now.eps * torch.where(hit, 1 - change, 1 + change)
            delta = columns(now.eps, delta) * steepest(delta)
            points = (now.images + delta).clamp(0, 1)
            now.points = rounded(points) if quantize else points
            now.taken = now.taken + 1
            return over

        return work_off(len(labels), begin, step, batch_size=batch_size)

    return least(model, images, labels, attack, targeted=targeted, quantize=False, batch_size=batch_size)


def _boundary(model: Model, images: Tensor, labels: Tensor, targeted: bool) -> Tensor:
    """(n,) how far away the linearised model's boundary is, at most 1."""
    _, values, gradient = slope(model, images, lambda logits: objective("margin", targeted)(logits, labels))
    return (values.abs() / l2(gradient).clamp_min(torch.finfo(gradient.dtype).tiny)).clamp_max(1)
