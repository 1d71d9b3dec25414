"""Several classifiers as one: the mean of their logits."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..classifier import Classifier
from ..errors import NetworkError


class MeanOfLogits(nn.Module):
    """From images (N, C, H, W) of any size, in [0, 1], to the mean (N, classes) of what its classifiers give."""

    def __init__(self, classifiers: Sequence[Classifier]) -> None:
        super().__init__()
        self.members = nn.ModuleList(classifiers)

    def forward(self, images: Tensor) -> Tensor:
        """The mean of the logits; a NetworkError where the classifiers tell different numbers of classes apart."""
        logits = [member(images) for member in self.members]
        if len({part.shape for part in logits}) > 1:
            counts = " and ".join(str(part.shape[1]) for part in logits)
            raise NetworkError(f"networks of {counts} classes have no mean; they must tell the same classes apart")
        return torch.stack(logits).mean(0)


def averaged(classifiers: Sequence[Classifier], *, input_size: int | tuple[int, int] | None = None) -> Classifier:
    """One classifier whose logits are the mean of those of several, each with its own preprocessing.

    Args:
        classifiers: two or more, for the same classes in the same order.
        input_size: height and width to which pictures are brought before the classifiers resize them themselves;
            by default they get them as they are.

    Returns:
        The classifier, in evaluation mode, with the labels of the first.

    Raises:
        NetworkError: fewer than two, or labels or channels that differ.
    """
    if len(classifiers) < 2:
        raise NetworkError("a mean needs two networks or more")
    first = classifiers[0]
    for other in classifiers[1:]:
        if list(other.labels or ()) != list(first.labels or ()):
            raise NetworkError("the networks have different classes; the mean of their logits means nothing")
        if len(other.mean) != len(first.mean):
            raise NetworkError(f"networks for pictures of {len(first.mean)} and of {len(other.mean)} channels")
    plain = {"mean": [0.0] * len(first.mean), "std": [1.0] * len(first.mean)}
    made = Classifier(MeanOfLogits(classifiers), **plain, labels=first.labels, input_size=input_size)
    return made.eval()
