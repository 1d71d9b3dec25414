"""Whether the network sees the class at all that a map explains."""

from torch import Tensor

from ..classifier import Classifier

ABSENT = 0.01  # of the top probability: a class below this share of it is not what the network sees


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
    if classifier.task == "regression":
        return ""
    probabilities = classifier.probabilities(logits)
    own, top = float(probabilities[index]), int(probabilities.argmax())
    if own >= ABSENT * float(probabilities[top]):
        return ""
    return (
        f"{classifier.name(index)} has the probability {own:.2g}, far below {classifier.shown(logits, top)}: the map "
        "shows what speaks for it, not that it is there"
    )
