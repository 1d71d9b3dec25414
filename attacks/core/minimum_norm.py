"""What the attacks share that look for the least perturbation: whom to attack, what to keep."""

from collections.abc import Callable

import torch
from torch import Tensor

from .active_batch import Rows
from .ascent import Model
from .ball import check_images
from .labels import labels_or_predictions
from .losses import fooled, logits_of, others
from .norms import columns, norm_named
from .quantize import on_grid


def least(
    model: Model,
    images: Tensor,
    labels: Tensor | None,
    attack: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    *,
    targeted: bool,
    quantize: bool,
    batch_size: int | None,
) -> Tensor:
    """Attack the samples that are not fooled as they are.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        attack: takes the images (n, ...), the labels (n,), the logits (n, C) and the numbers (n,) of those
            samples, and gives pictures that fool, or the images themselves.
        targeted: whether the labels are the classes wanted.
        quantize: whether results are put on the grid of an 8-bit file.
        batch_size: how many samples the model sees at a time; all by default.

    Returns:
        (N, ...) in [0, 1]: a clean picture, bit for bit, where it fools by itself or nothing does.

    Raises:
        AttackError: images or labels that cannot be attacked.
    """
    check_images(images)
    labels = labels_or_predictions(model, images, labels, targeted)
    results = images.detach().clone()
    with torch.no_grad():
        logits = torch.cat([logits_of(model, part) for part in images.split(batch_size or max(len(images), 1))])
    still = ~fooled(logits, labels, targeted)
    if still.any():
        clean = results[still]
        found = attack(clean, labels[still], logits[still], still.nonzero()[:, 0])
        if quantize:
            found = on_grid(model, clean, found, labels[still], targeted=targeted, batch_size=batch_size)
        results[still] = found
    return results


def keep_nearest(now: Rows, seen: Tensor, hit: Tensor, norm: str = "L2") -> None:
    """Keep as ``result`` what fools at less than the ``best`` distance from the ``images``.

    Args:
        now: the rows, with ``images`` and ``result`` (n, ...) and ``best`` (n,), infinite at first.
        seen: (n, ...) the points that were looked at.
        hit: (n,) whether they fool.
        norm: in which distances are measured.
    """
    size = norm_named(norm).size(seen - now.images)
    better = hit & (size < now.best)
    now.best = torch.where(better, size, now.best)
    now.result = torch.where(columns(better, seen), seen, now.result)


def likeliest_wrong(logits: Tensor, labels: Tensor, targeted: bool) -> Tensor:
    """(N,) the classes to go for: those wanted, or the likeliest that are not the label."""
    return labels if targeted else others(logits, labels).argmax(1)


def movable(gradient: Tensor, points: Tensor) -> Tensor:
    """A gradient (n, ...) that is to be raised, without the values that stand at an end of [0, 1] on a way out."""
    stuck = ((points >= 1) & (gradient > 0)) | ((points <= 0) & (gradient < 0))
    return torch.where(stuck, 0, gradient)
