"""The score that is explained: the logit of a class, a function of the logits, or one of the network's own output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .class_indices import checked_scores, class_indices
from .classifier import Classifier
from .errors import InterpretError
from .layer_outputs import maps_by_layer
from .network.outputs import first_tensor, logits_in, row_of

# What an explainer explains: class indices, one for each image or one for all, or a function from the logits to
# scores. Where a network has no logits, the function gets what the network itself returns.
Target = int | Sequence[int] | Tensor | Callable[[Any], Tensor]


def class_score(logits: Tensor, target: Target) -> Tensor:
    """The number that is explained for each image.

    Args:
        logits: (N, classes).
        target: (N,) class indices, or one index for all images: the logit of that class. Or any
            function from logits to (N,) scores, such as ``log_probability``, ``contrast``, ``group``.

    Returns:
        (N,) scores.

    Raises:
        InterpretError: not one target an image, a class that the network does not have, or a function that gives
            something else.
    """
    if callable(target):
        return checked_scores(target(logits), len(logits))
    return logits.gather(1, class_indices(logits, target)[:, None])[:, 0]


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
    """The logarithm of a class's softmax probability, or of a label's own, as a score to explain.

    Args:
        target: (N,) class indices, or one for all images.
        labels: whether they are labels, each with a probability of its own; explainers and metrics know it by the
            classifier's task.
    """

    target: Target
    labels: bool = False

    def __call__(self, logits: Tensor) -> Tensor:
        logarithms = torch.nn.functional.logsigmoid(logits) if self.labels else logits.log_softmax(1)
        return class_score(logarithms, self.target)

    def of_rows(self, rows: Tensor) -> "log_probability":
        """The same score for the images with these numbers."""
        return replace(self, target=target_of(self.target, rows))

    def of_task(self, task: str) -> "log_probability":
        """The same score for a classifier of this task."""
        if task == "regression":
            raise InterpretError("a network for regression has no probabilities: explain the output itself")
        return replace(self, labels=self.labels or task == "multilabel")


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
        return _part(logits, self.target) - _part(logits, self.versus)

    @property
    def of_output(self) -> bool:
        """Whether the two are functions of what the network itself returns."""
        return any(getattr(target, "of_output", False) for target in (self.target, self.versus))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose maps the two are functions of."""
        return layers_of(self.target, self.versus)

    def of_rows(self, rows: Tensor) -> "contrast":
        """The same score for the images with these numbers."""
        return contrast(target_of(self.target, rows), target_of(self.versus, rows))

    def of_task(self, task: str) -> "contrast":
        """The same score for a classifier of this task."""
        return contrast(of_task(self.target, task), of_task(self.versus, task))


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

    def __call__(self, logits: Any) -> Tensor:
        rows = [row_of(logits, row) for row in range(len(self.targets))]
        return torch.cat([_part(row, target, 1) for row, target in zip(rows, self.targets, strict=True)])

    @property
    def of_output(self) -> bool:
        """Whether the targets are functions of what the network itself returns."""
        return any(getattr(target, "of_output", False) for target in self.targets)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose maps the targets are functions of."""
        return layers_of(*self.targets)

    def of_rows(self, rows: Tensor) -> "each":
        """The same targets for the images with these numbers."""
        return each([self.targets[row] for row in rows.tolist()])

    def of_task(self, task: str) -> "each":
        """The same targets for a classifier of this task."""
        return each([of_task(target, task) for target in self.targets])


def _part(answered: Any, target: Target, images: int | None = None) -> Tensor:
    """The scores (N,) of one of several targets."""
    if not callable(target) and not isinstance(answered, Tensor):
        raise InterpretError("the logit of a class compares with scores of logits, not with one of a unit or of a part")
    scores = target(answered) if callable(target) else class_score(answered, target)
    return scores if images is None else checked_scores(scores, images)


def layers_of(*targets: Target) -> tuple[str, ...]:
    """The layers whose maps targets are functions of; none of those that are functions of what a network returns."""
    return tuple(dict.fromkeys(layer for target in targets for layer in getattr(target, "layers", ())))


def of_task(target: Target, task: str) -> Target:
    """A target for a classifier of a task: probabilities are those of labels or of classes."""
    return target.of_task(task) if hasattr(target, "of_task") else target


def joined(targets: Sequence[Target], device: torch.device) -> Target:
    """One target for a batch, made of one for each image; it is of their kind if they are all of one kind."""
    first = targets[0]
    if all(isinstance(target, int) for target in targets):
        return torch.tensor(targets, device=device)
    if all(target is first for target in targets) or all(target == first for target in targets):
        return first
    if all(type(target) is type(first) for target in targets):
        if isinstance(first, contrast):
            parts = zip(*((target.target, target.versus) for target in targets), strict=True)
            return contrast(*(joined(part, device) for part in parts))
        if isinstance(first, log_probability):
            return replace(first, target=joined([target.target for target in targets], device))
    return each(targets)


def answer(classifier: nn.Module, inputs: Tensor, target: Target) -> Any:
    """What a target is a score of: the logits (N, classes), what the network itself returns, or maps by layer.

    Class indices, and what is made of them, need logits. Any other function gets them where there are such, and the
    network's own output where there are none or where it is said to want that; units get the maps of their layers.
    """
    if layers := layers_of(target):
        return maps_by_layer(classifier, inputs, layers)
    whole = getattr(target, "of_output", False)
    if isinstance(classifier, Classifier):
        return classifier(inputs) if needs_logits(target) else classifier.answer(inputs, whole=whole)
    made = classifier(inputs)
    if needs_logits(target):
        return first_tensor(made)
    return made if whole or isinstance(found := logits_in(made), str) else found


def needs_logits(target: Target) -> bool:
    """Whether a target is class indices or is made of them, and no function of whatever a network returns."""
    if not callable(target) or isinstance(target, group):
        return True
    return hasattr(target, "of_task") and not getattr(target, "of_output", False)


def score_in(classifier: nn.Module, answered: Any, target: Target, images: int) -> Tensor:
    """The scores (N,) of a target in what `answer` gave for so many images."""
    if isinstance(answered, Tensor) and len(answered) == images and not callable(target):
        return class_score(answered, target)
    return checked_scores(of_task(target, getattr(classifier, "task", "classification"))(answered), images)


def score_of(classifier: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """The scores (N,) of inputs (N, ...)."""
    return score_in(classifier, answer(classifier, inputs, target), target, len(inputs))


def probability_or_score(classifier: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """The probabilities (N,) of class indices; of any other target, and in regression, its scores."""
    answered = answer(classifier, inputs, target)
    if not callable(target) and getattr(classifier, "task", "classification") != "regression":
        answered = classifier.probabilities(answered) if isinstance(classifier, Classifier) else answered.softmax(1)
    return score_in(classifier, answered, target, len(inputs))
