"""Wrong classes to go for one after the other, where an attack wants any of them."""

from torch import Tensor

from .loss import of, others


def wrong_classes(logits: Tensor, labels: Tensor, count: int) -> Tensor:
    """The classes besides the label that the model sees most.

    Args:
        logits: (n, C) of the clean images.
        labels: (n,) the true classes.
        count: how many classes; no more than C - 1 are there.

    Returns:
        (n, min(count, C - 1)) class indices, the likeliest first.
    """
    return others(logits, labels).topk(min(count, logits.shape[1] - 1), dim=1).indices


def targeted_dlr(logits: Tensor, labels: Tensor, wanted: Tensor) -> Tensor:
    """(n,) the targeted difference of logits ratio (Croce and Hein 2020, eq. 7): the wanted class over the label.

    The ratio divides by the first logit minus the mean of the third and fourth. With fewer than four
    classes there is none, and the difference of the two logits stands for itself.
    """
    difference = of(logits, wanted) - of(logits, labels)
    if logits.shape[1] < 4:
        return difference
    top = logits.topk(4, dim=1).values
    return difference / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2).clamp_min(1e-12)
