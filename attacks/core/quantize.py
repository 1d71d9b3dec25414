"""From a perturbation that fools to one that still does after being written to an 8-bit file."""

import torch
from torch import Tensor

from .active_batch import Rows, work_off
from .ascent import Model
from .ball import TOP
from .losses import fooled, logits_of
from .norms import columns

FURTHEST = 1e4  # times the perturbation; then every value that changes at all has long reached an end


def rounded(points: Tensor) -> Tensor:
    """Points (N, ...) in [0, 1] on the grid of an 8-bit file."""
    return (points * TOP).round() / TOP


@torch.no_grad()
def on_grid(
    model: Model,
    images: Tensor,
    adversarial: Tensor,
    labels: Tensor,
    *,
    targeted: bool = False,
    growth: float = 1.25,
    tolerance: float = 1.01,
    batch_size: int | None = None,
) -> Tensor:
    """The nearest 8-bit picture on the way from clean pictures through adversarial ones that fools.

    The perturbation is scaled up until its rounded form fools, and then down again by bisection.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1], clean.
        adversarial: (N, ...) in [0, 1]; those equal to the clean pictures are left as they are.
        labels: (N,) the true classes, or those wanted.
        targeted: whether the labels are the classes wanted.
        growth: factor from one scale to the next until one fools.
        tolerance: how near, as a factor, the scale comes to the least one.
        batch_size: how many samples are worked on at a time; all by default.

    Returns:
        (N, ...) on the grid, and fooling; or the clean pictures, bit for bit, where no scale fools.
    """
    results = images.clone()
    moved = (adversarial != images).flatten(1).any(1)
    images, delta, labels = images[moved], (adversarial - images)[moved], labels[moved]

    def begin(numbers: Tensor) -> Rows:
        chosen = numbers.to(labels.device)
        ones = torch.ones(len(numbers), dtype=torch.float64 if images.device.type != "mps" else None).to(labels.device)
        return Rows(
            images=images[chosen],
            delta=delta[chosen],
            labels=labels[chosen],
            scale=ones,
            below=ones,
            above=ones + torch.inf,
            result=images[chosen],
        )

    def step(now: Rows) -> Tensor:
        seen = rounded((now.images + columns(now.scale, now.delta).to(now.delta) * now.delta).clamp(0, 1))
        hit = fooled(logits_of(model, seen), now.labels, targeted)
        now.result = torch.where(columns(hit, seen), seen, now.result)
        now.above = torch.where(hit, now.scale, now.above)
        now.below = torch.where(hit, now.below, now.scale)
        now.scale = torch.where(now.above.isinf(), now.scale * growth, (now.below * now.above).sqrt())
        return (now.above <= now.below * tolerance) | (now.below > FURTHEST)

    results[moved] = work_off(len(labels), begin, step, batch_size=batch_size)
    return results
