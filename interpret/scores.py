"""The score that is explained, and its gradient."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .errors import InterpretError
from .outputs import first_tensor

# What an explainer explains: class indices, one an image or one for all, or a score made of logits.
Target = int | Sequence[int] | Tensor | Callable[[Tensor], Tensor]


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
    """(N,) class indices, checked: one an image, each from 0 to the number of classes less 1."""
    indices = checked_indices(target, len(logits), logits.device)
    classes = logits.shape[1]
    if len(indices) and int(indices.max()) >= classes:
        raise InterpretError(f"there is no class {int(indices.max())}; this network has classes 0 to {classes - 1}")
    return indices


def checked_indices(target: int | Sequence[int] | Tensor, images: int, device: torch.device) -> Tensor:
    """(N,) whole numbers from 0, one an image, as far as that can be seen before the network runs.

    Raises:
        InterpretError: names, fractions, negative numbers, or not one target an image.
    """
    if isinstance(target, str):
        raise InterpretError(f"target is a class index, not a name; classifier.find({target!r}, images) looks it up")
    indices = torch.as_tensor(target, device=device)
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
        raise InterpretError(f"target holds class indices, whole numbers, not {indices.dtype}")
    indices = indices.long().clone()  # one made under inference_mode could not be saved for the backward pass
    if indices.dim() == 0:
        indices = indices.expand(images)
    if indices.shape != (images,):
        raise InterpretError(f"{images} images need {images} targets; target has shape {tuple(indices.shape)}")
    if images and int(indices.min()) < 0:
        raise InterpretError(f"there is no class {int(indices.min())}; classes are counted from 0")
    return indices


def target_of(target: Target, rows: Tensor) -> Target:
    """What is explained for a choice of the images: (M,) numbers of rows, an image as often as it is named."""
    if callable(target):
        return target.of_rows(rows) if hasattr(target, "of_rows") else target
    if isinstance(target, int):
        return target
    indices = torch.as_tensor(target, device=rows.device)
    return indices if indices.dim() == 0 else indices[rows]


@dataclass(frozen=True)
class log_probability:
    """The logarithm of the class's softmax probability, as some lectures draw it."""

    target: Target

    def __call__(self, logits: Tensor) -> Tensor:
        return class_score(logits.log_softmax(1), self.target)

    def of_rows(self, rows: Tensor) -> "log_probability":
        """The same for a choice of the images."""
        return log_probability(target_of(self.target, rows))


@dataclass(frozen=True)
class contrast:
    """Why this class and not that one: the difference of their scores."""

    target: Target
    versus: Target

    def __call__(self, logits: Tensor) -> Tensor:
        return class_score(logits, self.target) - class_score(logits, self.versus)

    def of_rows(self, rows: Tensor) -> "contrast":
        """The same for a choice of the images."""
        return contrast(target_of(self.target, rows), target_of(self.versus, rows))


@dataclass(frozen=True)
class group:
    """Several classes as one: the log-sum-exp of their logits, whose softmax is their joint probability."""

    classes: Sequence[int]

    def __call__(self, logits: Tensor) -> Tensor:
        members = [class_score(logits, index) for index in self.classes]
        return torch.stack(members, 1).logsumexp(1)


@dataclass(frozen=True)
class each:
    """A target of its own for each image, such as scores made of logits, which are not class indices."""

    targets: Sequence[Target]

    def __call__(self, logits: Tensor) -> Tensor:
        rows = zip(logits.split(1), self.targets, strict=True)
        return torch.cat([class_score(row, target) for row, target in rows])

    def of_rows(self, rows: Tensor) -> "each":
        """The same for a choice of the images."""
        return each([self.targets[row] for row in rows.tolist()])


def joined(targets: Sequence[Target], device: torch.device) -> Target:
    """One target for a batch, from one for each image: of the same kind as they are, where they are alike."""
    first = targets[0]
    if all(isinstance(target, int) for target in targets):
        return torch.tensor(targets, device=device)
    if all(target == first for target in targets):
        return first
    if all(type(target) is type(first) for target in targets):
        if isinstance(first, log_probability):
            return log_probability(joined([target.target for target in targets], device))
        if isinstance(first, contrast):
            sides = zip(*((target.target, target.versus) for target in targets), strict=True)
            return contrast(*(joined(side, device) for side in sides))
    return each(targets)


def score_of(classifier: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """(N,) scores of (N, ...) inputs."""
    return class_score(first_tensor(classifier(inputs)), target)


def probability_or_score(classifier: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """(N,) softmax probabilities of class indices, or the score that was asked for instead."""
    logits = first_tensor(classifier(inputs))
    return target(logits) if callable(target) else class_score(logits.softmax(1), target)
