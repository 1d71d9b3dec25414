"""The score that is explained: the logit of a class, or a function of the logits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .errors import InterpretError
from .network.outputs import first_tensor

# What an explainer explains: class indices, one for each image or one for all, or a function from logits to scores.
Target = int | Sequence[int] | Tensor | Callable[[Tensor], Tensor]

ABSENT = 0.01  # of the most probable class's probability: what is below that is not what the network sees


def class_score(logits: Tensor, target: Target) -> Tensor:
    """The number that is explained for each image.

    Args:
        logits: (N, classes).
        target: (N,) class indices, or one index for all images: the logit of that class. Or any
            function from logits to (N,) scores, such as ``log_probability``, ``contrast``, ``group``.

    Returns:
        (N,) scores.

    Raises:
        InterpretError: not one target an image, or a class that the network does not have.
    """
    if callable(target):
        return target(logits)
    return logits.gather(1, class_indices(logits, target)[:, None])[:, 0]


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
    indices = torch.as_tensor(target, device=device)
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


def target_of(target: Target, rows: Tensor) -> Target:
    """The target of the images with the numbers ``rows`` (M,), each as often as it occurs there."""
    if callable(target):
        return target.of_rows(rows) if hasattr(target, "of_rows") else target
    if isinstance(target, int):
        return target
    indices = torch.as_tensor(target, device=rows.device)
    return indices if indices.dim() == 0 else indices[rows]


@dataclass(frozen=True)
class log_probability:
    """The logarithm of a class's softmax probability, as a score to explain.

    Args:
        target: (N,) class indices, or one for all images.
    """

    target: Target

    def __call__(self, logits: Tensor) -> Tensor:
        return class_score(logits.log_softmax(1), self.target)

    def of_rows(self, rows: Tensor) -> "log_probability":
        """The same score for the images with these numbers."""
        return log_probability(target_of(self.target, rows))


@dataclass(frozen=True)
class contrast:
    """Why this class and not that one: the difference of their logits, or of two scores.

    Args:
        target: (N,) class indices, one for all images, or a score: what is explained.
        versus: likewise: what it is compared with.
    """

    target: Target
    versus: Target

    def __call__(self, logits: Tensor) -> Tensor:
        return class_score(logits, self.target) - class_score(logits, self.versus)

    def of_rows(self, rows: Tensor) -> "contrast":
        """The same score for the images with these numbers."""
        return contrast(target_of(self.target, rows), target_of(self.versus, rows))


@dataclass(frozen=True)
class group:
    """Several classes as one: the log-sum-exp of their logits, whose softmax is their joint probability.

    Args:
        classes: their indices.
    """

    classes: Sequence[int]

    def __call__(self, logits: Tensor) -> Tensor:
        members = [class_score(logits, index) for index in self.classes]
        return torch.stack(members, 1).logsumexp(1)


@dataclass(frozen=True)
class each:
    """A target for each image, where they are of different kinds and cannot be one tensor of class indices."""

    targets: Sequence[Target]

    def __call__(self, logits: Tensor) -> Tensor:
        rows = zip(logits.split(1), self.targets, strict=True)
        return torch.cat([class_score(row, target) for row, target in rows])

    def of_rows(self, rows: Tensor) -> "each":
        """The same targets for the images with these numbers."""
        return each([self.targets[row] for row in rows.tolist()])


def joined(targets: Sequence[Target], device: torch.device) -> Target:
    """One target for a batch, made of one for each image; it is of their kind if they are all of one kind."""
    first = targets[0]
    if all(isinstance(target, int) for target in targets):
        return torch.tensor(targets, device=device)
    if all(target == first for target in targets):
        return first
    if all(type(target) is type(first) for target in targets):
        if isinstance(first, log_probability | contrast):
            parts = zip(*(vars(target).values() for target in targets), strict=True)
            return type(first)(*(joined(part, device) for part in parts))
    return each(targets)


def score_of(classifier: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """The scores (N,) of inputs (N, ...)."""
    return class_score(first_tensor(classifier(inputs)), target)


def probability_or_score(classifier: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """The softmax probabilities (N,) of class indices; of any other target, its scores."""
    logits = first_tensor(classifier(inputs))
    return target(logits) if callable(target) else class_score(logits.softmax(1), target)


def is_absent(probability: float, highest: float) -> bool:
    """Whether a class's probability is far below that of the most probable class."""
    return probability < ABSENT * highest


def with_probability(name: str, probability: float, highest: float, space: str = " ") -> str:
    """A class with its probability, such as "tabby 0.62"; where the network does not see it, "tabby absent: 0.00"."""
    return f"{name}{' absent:' if is_absent(probability, highest) else ''}{space}{probability:.2f}"
