"""Models of which nothing is known but what they answer, as attacks without gradients take them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..errors import AttackError
from .model import Model


def from_labels(answer: Callable[[Tensor], Any], classes: int = 1000) -> Model:
    """A model for attacks from a function that says no more than which class it sees.

    ``hopskipjump`` needs no more than that.

    Args:
        answer: from images (n, ...) in [0, 1] to (n,) class indices: a tensor, an array or a list.
        classes: how many classes there are, or more than that.

    Returns:
        A function from images to logits (n, classes): 1 for the answer and 0 for the others.

    Raises:
        AttackError: when it is called, where the answers are not one class index below ``classes`` for each image.
    """

    def model(points: Tensor) -> Tensor:
        labels = _tensor(answer(points.detach()), points.device)
        if labels.shape != points.shape[:1] or labels.is_floating_point() or labels.dtype == torch.bool:
            raise AttackError(f"an answer is one class index for each of {len(points)} images, not {_shown(labels)}")
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            wrong = int(labels.max()) if labels.max() >= classes else int(labels.min())
            raise AttackError(f"the answer {wrong} is no class index below {classes}; say how many with classes=…")
        return torch.nn.functional.one_hot(labels.long(), classes).to(points)

    return model


def from_scores(answer: Callable[[Tensor], Any]) -> Model:
    """A model for attacks from a function that gives a number for every class, but no gradient.

    ``square`` and ``one_pixel`` work on it.

    Args:
        answer: from images (n, ...) in [0, 1] to (n, C) scores: a tensor, an array or lists. Rows that are
            probabilities (none below 0, and a sum of 1) are taken as their logarithms, which a softmax turns back.

    Returns:
        A function from images to logits (n, C).

    Raises:
        AttackError: when it is called, where the scores are not (n, C) numbers of two classes or more.
    """

    def model(points: Tensor) -> Tensor:
        scores = _tensor(answer(points.detach()), points.device)
        if scores.dim() != 2 or len(scores) != len(points) or scores.shape[1] < 2:
            raise AttackError(
                f"scores are (n, C) for {len(points)} images of two classes or more, not {_shown(scores)}"
            )
        scores = scores.to(points)
        likely = (scores >= 0).all(1, keepdim=True) & ((scores.sum(1, keepdim=True) - 1).abs() < 1e-3)
        return torch.where(likely, scores.clamp_min(torch.finfo(scores.dtype).tiny).log(), scores)

    return model


def _tensor(answers: Any, device: torch.device) -> Tensor:
    try:
        return torch.as_tensor(answers, device=device).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise AttackError(f"answers are numbers, not {type(answers).__name__}: {error}") from error


def _shown(answers: Tensor) -> str:
    return f"{answers.dtype} of shape {tuple(answers.shape)}".replace("torch.", "")
