"""The losses that attacks raise: the only place that distinguishes targeted attacks from untargeted ones."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import AttackError

Loss = Callable[[Tensor, Tensor], Tensor]  # from logits (n, C) and labels (n,) to (n,) numbers


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) the log-odds against the label, which rise and fall with the cross-entropy.

    ``log(1 + exp(log-odds))`` is the cross-entropy. Sample by sample the two gradients have the same direction, but
    that of the log-odds does not vanish where the softmax is saturated.
    """
    return other_logits(logits, labels).logsumexp(1) - label_logits(logits, labels)


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) the highest other logit minus the label's: above 0, another class wins."""
    return other_logits(logits, labels).amax(1) - label_logits(logits, labels)


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) the difference of logits ratio (Croce and Hein 2020, eq. 6), which does not depend on the logits' scale."""
    if logits.shape[1] < 3:
        raise AttackError(f"the difference of logits ratio needs three classes; the model has {logits.shape[1]}")
    top = logits.topk(3, dim=1).values
    return margin(logits, labels) / (top[:, 0] - top[:, 2]).clamp_min(1e-12)


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """(n,) the targeted difference of logits ratio (Croce and Hein 2020, eq. 7): the target over the label.

    The ratio divides by the first logit minus the mean of the third and fourth. With fewer than four classes it is not
    defined, and the difference of the two logits stands alone.
    """
    difference = label_logits(logits, targets) - label_logits(logits, labels)
    if logits.shape[1] < 4:
        return difference
    top = logits.topk(4, dim=1).values
    return difference / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2).clamp_min(1e-12)


LOSSES: dict[str, Loss] = {"cross_entropy": cross_entropy, "margin": margin, "dlr": dlr}


def objective(loss: str | Loss, targeted: bool) -> Loss:
    """What an attack raises: the loss of the true labels, or minus the loss of the targets."""
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise AttackError(f"the loss is one of {', '.join(LOSSES)}, not {loss!r}")
        loss = LOSSES[loss]
    return (lambda logits, labels: -loss(logits, labels)) if targeted else loss


def is_fooled(logits: Tensor, labels: Tensor, targeted: bool) -> Tensor:
    """(n,) booleans: the prediction differs from the label, or with ``targeted`` equals it."""
    return (logits.argmax(1) == _column(logits, labels)[:, 0]) == targeted


def distance_to_boundary(logits: Tensor, labels: Tensor, targeted: bool) -> Tensor:
    """(n,) the logits that are missing until the model is fooled; at most 0 where it is."""
    return margin(logits, labels) if targeted else -margin(logits, labels)


def label_logits(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) the logits of the labels."""
    return logits.gather(1, _column(logits, labels))[:, 0]


def other_logits(logits: Tensor, labels: Tensor) -> Tensor:
    """(n, C) the logits, with minus infinity at the labels."""
    return logits.scatter(1, _column(logits, labels), -torch.inf)


def _column(logits: Tensor, labels: Tensor) -> Tensor:
    """(n, 1) the labels as indices into logits (n, C); an error where there is no such class."""
    if len(labels) and labels.max() >= logits.shape[1]:
        raise AttackError(f"there is no class {int(labels.max())}; the model has {logits.shape[1]}")
    return labels[:, None]
