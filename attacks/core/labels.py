"""The labels that an attack works on, and what a model predicts."""

import torch
from torch import Tensor

from ..errors import AttackError
from .losses import is_fooled, other_logits
from .model import Model, logits_of


def labels_or_predictions(model: Model, images: Tensor, labels: Tensor | None, targeted: bool = False) -> Tensor:
    """(N,) the labels, checked, on the images' device; the model's own predictions where none are given."""
    if labels is None:
        if targeted:
            raise AttackError("a targeted attack needs labels: the classes to reach")
        return predictions(model, images)
    try:
        labels = torch.as_tensor(labels, device=images.device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AttackError(f"labels are class indices (N,), not {type(labels).__name__}") from error
    labels = labels[:, 0] if labels.dim() == 2 and labels.shape[1] == 1 else labels
    if labels.shape != images.shape[:1] or labels.is_floating_point() or labels.dtype == torch.bool:
        raise AttackError(f"labels are one class index for each of {len(images)} samples, not {tuple(labels.shape)}")
    if len(labels) and labels.min() < 0:
        raise AttackError(f"a class index is 0 or more, not {int(labels.min())}")
    return labels.long()


@torch.no_grad()
def predictions(model: Model, images: Tensor) -> Tensor:
    """(N,) the likeliest classes."""
    return logits_of(model, images).argmax(1)


@torch.no_grad()
def still_right(model: Model, images: Tensor, labels: Tensor, batch_size: int | None = None) -> Tensor:
    """(N,) booleans: whether the model, which sees ``batch_size`` images at a time, predicts the labels (N,)."""
    return ~is_fooled(logits_of(model, images, batch_size), labels, targeted=False)


@torch.no_grad()
def least_likely(model: Model, images: Tensor) -> Tensor:
    """(N,) the least likely classes (Kurakin et al. 2017, eq. 4)."""
    return logits_of(model, images).argmin(1)


def likeliest_wrong(logits: Tensor, labels: Tensor, count: int) -> Tensor:
    """(n, min(count, C - 1)) the likeliest classes besides the labels (n,), given logits (n, C)."""
    return other_logits(logits, labels).topk(min(count, logits.shape[1] - 1), dim=1).indices
