"""The labels that an attack works on."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import AttackError
from .losses import fooled, logits_of, others


def labels_or_predictions(
    model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor | None, targeted: bool = False
) -> Tensor:
    """(N,) labels, checked; the model's own predictions where none are given.

    Args:
        model: from images (N, ...) to logits (N, C).
        images: (N, ...) in [0, 1].
        labels: (N,) class indices, or None.
        targeted: whether the labels are the classes wanted, which must be given.

    Returns:
        (N,) class indices on the images' device.

    Raises:
        AttackError: the shape, the type or the range is wrong, or nobody said which class is wanted.
    """
    if labels is None:
        if targeted:
            raise AttackError("a targeted attack needs the labels that are wanted")
        return predictions(model, images)
    labels = torch.as_tensor(labels, device=images.device)
    if labels.shape != images.shape[:1] or labels.is_floating_point() or labels.dtype == torch.bool:
        raise AttackError(f"labels are one class index for each of {len(images)} samples, not {tuple(labels.shape)}")
    if len(labels) and labels.min() < 0:
        raise AttackError(f"a class index is 0 or more, not {int(labels.min())}")
    return labels.long()


@torch.no_grad()
def predictions(model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """(N,) the classes that a model sees."""
    return logits_of(model, images).argmax(1)


@torch.no_grad()
def still_right(model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """(N,) booleans: whether a model sees the labels (N,) in images (N, ...)."""
    return ~fooled(logits_of(model, images), labels, targeted=False)


@torch.no_grad()
def least_likely(model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """(N,) the classes that a model sees least (Kurakin et al. 2017, eq. 4)."""
    return logits_of(model, images).argmin(1)


def wrong_classes(logits: Tensor, labels: Tensor, count: int) -> Tensor:
    """The classes besides the label that the model sees most.

    Args:
        logits: (n, C) of the clean images.
        labels: (n,) the true classes.
        count: how many classes; no more than C - 1 are there.

    Returns:
        (n, min(count, C - 1)) class indices, the likeliest first.
    """
    return others(logits, labels).topk(min(count, logits.shape[1] - 1), dim=1).indices
