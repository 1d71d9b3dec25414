"""What a network shows when it is run once: whether it takes channels last, and how many classes it tells apart."""

import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..classifier import Classifier
from ..errors import NetworkError, kind_and_text
from ..labels.label_files import read_labels
from ..labels.names import Labels, imagenet


def with_channels_last(classifier: Classifier, *, known: bool) -> Any:
    """Put the weights into the order that is fastest for convolutions, also on a CPU, if the network then runs.

    What it returned is handed back, so that it need not run again for ``labels_of``; None where it did not run.
    """
    classifier.to(memory_format=torch.channels_last)
    if known:
        return None
    try:
        return _trial(classifier)
    except Exception:  # the network is the user's; one that views its maps as rows needs them in their usual order
        classifier.to(memory_format=torch.contiguous_format)
        return None


def _trial(classifier: Classifier) -> Any:
    """The logits (1, classes) of a grey picture, or what the network returns where there are none."""
    height, width = classifier.input_size or (224, 224)
    with torch.no_grad():
        return classifier.answer(torch.full((1, len(classifier.mean), height, width), 0.5))


def labels_of(
    classifier: Classifier, labels: str | os.PathLike | Sequence[str] | None, tried: Any = None
) -> Labels | None:
    """The labels given, or else the classifier's own, ImageNet's, or numbers; ``tried`` is what a trial returned."""
    classes = _count_classes(classifier, tried)
    if labels is None:
        if classifier.labels is not None or classes is None:
            return classifier.labels or Labels([])
        return imagenet() if classes == 1000 else Labels([str(index) for index in range(classes)])
    found = named_labels(labels)
    if len(found) != classes and classes is not None:
        raise NetworkError(f"{len(found)} labels for a network with {classes} classes")
    return found


def named_labels(labels: str | os.PathLike | Sequence[str]) -> Labels:
    return read_labels(labels) if isinstance(labels, str | os.PathLike) else Labels(labels)


def _count_classes(classifier: Classifier, tried: Any) -> int | None:
    """How many classes a network tells apart, read off its head, or else by running it; None if it gives no logits."""
    weighted = [m for m in classifier.network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    head = weighted[-1] if weighted else None
    if isinstance(head, nn.Linear) and head.out_features == 1000:
        return 1000
    try:
        answered = _trial(classifier) if tried is None else tried
        return answered.shape[1] if isinstance(answered, Tensor) and answered.dim() == 2 else None
    except RuntimeError as error:
        if isinstance(head, nn.Linear):
            return max(2, head.out_features)  # it takes one size of picture, which is not known here
        height, width = classifier.input_size or (224, 224)
        raise NetworkError(f"the network cannot take {width} x {height} pixels: {kind_and_text(error)}") from error
