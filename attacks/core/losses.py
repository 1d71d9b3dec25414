"""What attacks raise: the only place that tells targeted attacks from untargeted ones."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import AttackError, GradientWarning

Loss = Callable[[Tensor, Tensor], Tensor]  # (N, C) logits and (N,) labels to (N,) numbers


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """(N,) the log-odds against the label, which rise and fall with the cross-entropy.

    ``log(1 + exp(this))`` is the cross-entropy. Their gradients have the same direction, sample by
    sample; but this one's does not vanish where the softmax is saturated.
    """
    return others(logits, labels).logsumexp(1) - of(logits, labels)


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """(N,) the highest other logit minus the label's: above 0, another class wins."""
    return others(logits, labels).amax(1) - of(logits, labels)


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """(N,) the difference of logits ratio (Croce and Hein 2020, eq. 6), which no scale of the logits changes.

    Raises:
        AttackError: fewer than three classes.
    """
    if logits.shape[1] < 3:
        raise AttackError(f"the difference of logits ratio needs three classes; the model has {logits.shape[1]}")
    top = logits.topk(3, dim=1).values
    return margin(logits, labels) / (top[:, 0] - top[:, 2]).clamp_min(1e-12)


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


LOSSES: dict[str, Loss] = {"cross_entropy": cross_entropy, "margin": margin, "dlr": dlr}


def objective(loss: str | Loss, targeted: bool) -> Loss:
    """What to raise: a loss with respect to the true labels, or minus that with respect to the wanted ones.

    Raises:
        AttackError: there is no loss of that name.
    """
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise AttackError(f"the loss is one of {', '.join(LOSSES)}, not {loss!r}")
        loss = LOSSES[loss]
    return (lambda logits, labels: -loss(logits, labels)) if targeted else loss


def fooled(logits: Tensor, labels: Tensor, targeted: bool) -> Tensor:
    """(N,) booleans: the prediction is no longer the label, or has become it."""
    return (logits.argmax(1) == _places(logits, labels)[:, 0]) == targeted


def distance_to_boundary(logits: Tensor, labels: Tensor, targeted: bool) -> Tensor:
    """(N,) by how much the wrong class loses; at most 0 where the sample is fooled."""
    return margin(logits, labels) if targeted else -margin(logits, labels)


def of(logits: Tensor, labels: Tensor) -> Tensor:
    """(N,) the logits of the labels."""
    return logits.gather(1, _places(logits, labels))[:, 0]


def others(logits: Tensor, labels: Tensor) -> Tensor:
    """(N, C) logits, minus infinity at the labels."""
    return logits.scatter(1, _places(logits, labels), -torch.inf)


def _places(logits: Tensor, labels: Tensor) -> Tensor:
    """(N, 1) labels, once it is known that there are such classes."""
    if len(labels) and labels.max() >= logits.shape[1]:
        raise AttackError(f"there is no class {int(labels.max())}; the model has {logits.shape[1]}")
    return labels[:, None]


def logits_of(model: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """(N, C) what the model says, checked.

    Raises:
        AttackError: it is no finite (N, C) with at least two classes.
    """
    logits = model(points)
    if not isinstance(logits, Tensor) or logits.dim() != 2 or len(logits) != len(points) or logits.shape[1] < 2:
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise AttackError(f"a model gives logits (N, C) of two classes or more, not {shape}")
    if not torch.isfinite(logits).all():
        raise AttackError("the model's logits are not finite; robustness cannot be judged from them")
    return logits


def slope(
    model: Callable[[Tensor], Tensor],
    points: Tensor,
    raise_what: Callable[[Tensor], Tensor],
    *,
    enough: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """The logits at points, the values of what is to be raised, and its gradient.

    Args:
        model: from points (N, ...) to logits (N, C).
        points: where.
        raise_what: from logits to (N,) values.
        enough: from logits to (N,) booleans; where all are true no gradient is computed, and it is 0.

    Returns:
        (N, C) logits, (N,) values and the gradient (N, ...), without a graph.

    Raises:
        AttackError: the gradient is not a number somewhere. An attack that went on would take
            this for robustness.
    """
    with torch.inference_mode(False), torch.enable_grad():
        leaf = points.detach().clone().requires_grad_()
        logits = logits_of(model, leaf)
        values = raise_what(logits)
        if enough is not None and bool(enough(logits.detach()).all()):
            return logits.detach(), values.detach(), torch.zeros_like(points)
        if not values.requires_grad:
            raise AttackError("the model's logits do not depend on its input by a gradient; use square or one_pixel")
        gradient = torch.autograd.grad(values.sum(), leaf, allow_unused=True)[0]
    if gradient is None:
        gradient = torch.zeros_like(points)
    steepest = gradient.flatten(1).abs().amax(1)
    if not torch.isfinite(steepest).all():
        raise AttackError("the gradient is not a number; the model has an operation without a proper derivative there")
    return logits.detach(), values.detach(), gradient


def warn_of_vanished(gradient: Tensor, still: Tensor) -> None:
    """Say so where gradients of samples that are not fooled yet are zero throughout."""
    vanished = ~gradient.flatten(1).any(1) & still
    if vanished.any():
        warnings.warn(
            f"the gradient is zero for {int(vanished.sum())} of {len(gradient)} samples: "
            "the attack is blind there, and its failure says nothing",
            GradientWarning,
            stacklevel=3,
        )
