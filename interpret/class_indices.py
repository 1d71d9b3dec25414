"""Class indices and scores, one for each image: whatever else is given as one is refused."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .errors import InterpretError


def checked_scores(scores: object, images: int) -> Tensor:
    """The (N,) scores that a function gave, one for each image; InterpretError if they are anything else."""
    if isinstance(scores, Tensor) and scores.dim() == 0 and images == 1:
        scores = scores.reshape(1)
    if not isinstance(scores, Tensor) or tuple(scores.shape) != (images,):
        given = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise InterpretError(f"a score is one number for each image, of shape ({images},) here, not {given}")
    return scores


def class_indices(logits: Tensor, target: int | Sequence[int] | Tensor) -> Tensor:
    """(N,) class indices, one for each image; InterpretError unless all are classes of the network."""
    indices = checked_indices(target, len(logits), logits.device)
    classes = logits.shape[1]
    if len(indices) and int(indices.max()) >= classes:
        raise InterpretError(f"there is no class {int(indices.max())}; this network has classes 0 to {classes - 1}")
    return indices


def checked_indices(target: int | Sequence[int] | Tensor, images: int, device: torch.device) -> Tensor:
    """(N,) class indices, checked as far as that is possible before the network runs: not below 0, one for each image.

    Names, fractions, negative numbers and other counts are an InterpretError.
    """
    if isinstance(target, str):
        raise InterpretError(f"target is a class index, not a name; classifier.find({target!r}, images) looks it up")
    try:
        indices = torch.as_tensor(target, device=device)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:  # also a number of more than 64 bits
        raise InterpretError("target holds class indices, whole numbers, or is a score of the logits") from error
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
        raise InterpretError(f"target holds class indices, whole numbers, not {indices.dtype}")
    indices = indices.long().clone()  # a tensor made under inference_mode cannot be saved for the backward pass
    if indices.dim() == 0:
        indices = indices.expand(images)
    if indices.shape != (images,):
        raise InterpretError(f"{images} images need {images} targets; target has shape {tuple(indices.shape)}")
    if images and int(indices.min()) < 0:
        raise InterpretError(f"there is no class {int(indices.min())}; classes are counted from 0")
    return indices
