"""What a network sees in pictures: its highest classes, with their probabilities."""

from typing import Any

import torch
from torch import Tensor, nn

from .classifier import Classifier
from .errors import InterpretError
from .images.given import Images, images_given
from .network.hooks import left_as_found


def predict(classifier: nn.Module, images: Images, *, top_k: int = 5) -> list[list[dict[str, Any]]]:
    """What a network sees in images.

    Args:
        classifier: what looks at them.
        images: (N, C, H, W) in [0, 1], or one picture as a path, a Pillow image or an array.
        top_k: how many classes of each.

    Returns:
        For each image its highest classes, the highest first, as dicts of "index", "name" and "probability"; of a
        regression its outputs in their order, with "value" in their own unit.

    Raises:
        InterpretError: images that are none, or ``top_k`` below 1.
    """
    if top_k < 1:
        raise InterpretError(f"top_k is 1 or more, not {top_k}")
    images = images_given(classifier, images)
    with left_as_found(classifier, images.device), torch.no_grad():
        return highest(classifier, classifier(images), top_k)


def highest(classifier: nn.Module, logits: Tensor, top_k: int) -> list[list[dict[str, Any]]]:
    """The same, of logits (N, classes)."""
    known = isinstance(classifier, Classifier)
    unit = "value" if known and classifier.task == "regression" else "probability"
    if unit == "value":
        numbers, shown = logits, torch.arange(logits.shape[1]).expand(len(logits), -1)
    else:
        numbers = classifier.probabilities(logits) if known else logits.softmax(-1)
        shown = numbers.topk(min(top_k, numbers.shape[1])).indices
    name = classifier.name if known else str
    return [
        [{"index": index, "name": name(index), unit: round(float(row[index]), 6)} for index in indices]
        for row, indices in zip(numbers.cpu(), shown.tolist(), strict=True)
    ]
