"""Whether the network sees the class at all that a map explains."""

from collections.abc import Sequence

from torch import Tensor

from ..classifier import Classifier
from ..errors import shortened

ABSENT = 0.01  # of the top probability: a class below this share of it is not what the network sees


def is_absent(classifier: Classifier, logits: Tensor, indices: Sequence[int]) -> bool:
    """Whether the probability of a class, or of several together, is far below the top one; no output ever is.

    Args:
        classifier: what was asked.
        logits: (classes,) of one picture.
        indices: the class that is explained, or the members of a group.
    """
    if classifier.task == "regression":
        return False
    return _share(classifier, logits, indices) < ABSENT * float(classifier.probabilities(logits).max())


def absence(classifier: Classifier, logits: Tensor, index: int) -> str:
    """One sentence on a class that the network does not see in a picture, and whose map it would give all the same.

    Args:
        classifier: what was asked.
        logits: (classes,) of one picture.
        index: the class that is explained.

    Returns:
        The sentence, where the class's probability is below a hundredth of the top one; else nothing. The outputs of
        a regression are never absent.
    """
    if not is_absent(classifier, logits, [index]):
        return ""
    own, top = _share(classifier, logits, [index]), int(classifier.probabilities(logits).argmax())
    return (
        f"{classifier.name(index)} has the probability {own:.2g}, far below {classifier.shown(logits, top)}: the map "
        "shows what speaks for it, not that it is there"
    )


def with_presence(classifier: Classifier, logits: Tensor, indices: Sequence[int], name: str, space: str = " ") -> str:
    """A name with its probability, such as "tabby 0.62"; where the network does not see it, "toaster absent: 0.00"."""
    if classifier.task == "regression":
        return f"{shortened(name)}{space}{float(logits[list(indices)].sum()):.4g}"
    middle = " absent:" if is_absent(classifier, logits, indices) else ""
    return f"{shortened(name)}{middle}{space}{_share(classifier, logits, indices):.2f}"


def _share(classifier: Classifier, logits: Tensor, indices: Sequence[int]) -> float:
    """The probability of a class, or of one of several; labels, of which many may be there, have the likeliest's."""
    own = classifier.probabilities(logits)[list(indices)]
    return float(own.max() if classifier.task == "multilabel" else own.sum())
