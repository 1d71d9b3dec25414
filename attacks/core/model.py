"""What attacks ask a model for: logits and gradients, checked."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import AttackError, GradientWarning
from .losses import Loss

Model = Callable[[Tensor], Tensor]  # from points (n, ...) in [0, 1] to logits (n, C)


def logits_of(model: Model, points: Tensor, batch_size: int | None = None) -> Tensor:
    """(n, C) the model's logits; an error where they are not finite, or not of two classes or more.

    The model sees ``batch_size`` points at a time, by default all.
    """
    if batch_size and len(points) > batch_size:
        return torch.cat([logits_of(model, part) for part in points.split(batch_size)])
    logits = model(points)
    task = getattr(model, "task", "classification")
    if task != "classification":
        remedy = "labels do not exclude each other: attack one of them (interpret.one_label)"
        raise AttackError(remedy if task == "multilabel" else f"a network for {task} has no classes to be fooled about")
    if not isinstance(logits, Tensor) or logits.dim() != 2 or len(logits) != len(points) or logits.shape[1] < 2:
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise AttackError(f"a model gives logits (N, C) of two classes or more, not {shape}")
    if not torch.isfinite(logits).all():
        raise AttackError("the model's logits are not finite; robustness cannot be judged from them")
    return logits


def value_and_gradient(
    model: Model, points: Tensor, loss: Loss, labels: Tensor, *, skip: Callable[[Tensor], Tensor] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The logits (n, C) at points (n, ...), their loss (n,), and its gradient (n, ...); all without a graph.

    ``skip`` maps logits to (n,) booleans: where all are true, the backward pass is left out and the gradient is 0.
    """
    with torch.inference_mode(False), torch.enable_grad():
        leaf = points.detach().clone().requires_grad_()
        logits = logits_of(model, leaf)
        values = loss(logits, labels)
        if skip is not None and bool(skip(logits.detach()).all()):
            return logits.detach(), values.detach(), torch.zeros_like(points)
        gradient = finite(input_gradient(values, leaf))
    return logits.detach(), values.detach(), gradient


def input_gradient(values: Tensor, leaf: Tensor, *, retain_graph: bool = False) -> Tensor:
    """The gradient (n, ...) of values (n,) at a leaf (n, ...)."""
    if not values.requires_grad:
        raise AttackError("the model's logits do not depend on its input by a gradient; use square or one_pixel")
    gradient = torch.autograd.grad(values.sum(), leaf, retain_graph=retain_graph, allow_unused=True)[0]
    return torch.zeros_like(leaf) if gradient is None else gradient


def finite(gradient: Tensor) -> Tensor:
    """A gradient (n, ...); an error where it is not a number, since an attack would take this for robustness."""
    if not torch.isfinite(gradient.flatten(1).abs().amax(1)).all():
        raise AttackError("the gradient is not a number; the model has an operation without a proper derivative there")
    return gradient


def warn_if_vanished(gradient: Tensor, unsolved: Tensor) -> None:
    """Warn where the gradients of samples that are not fooled yet (n,) are zero throughout."""
    vanished = ~gradient.flatten(1).any(1) & unsolved
    if vanished.any():
        warnings.warn(
            f"the gradient is zero for {int(vanished.sum())} of {len(gradient)} samples: "
            "the attack is blind there, and its failure says nothing",
            GradientWarning,
            stacklevel=3,
        )
