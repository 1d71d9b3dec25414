"""Gradients of scores, and the passes that several of them share."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

from ..errors import NoGradientError

# Inside `sharing.shared_passes`, the passes that several methods differentiate.
shared: ContextVar[dict[Any, Any] | None] = ContextVar("passes that are shared", default=None)


def leaf(inputs: Tensor) -> Tensor:
    """A tensor to differentiate by: the inputs themselves if they require grad, else a new leaf with their values."""
    return inputs if inputs.requires_grad else inputs.detach().requires_grad_()


def gradient(score: Tensor, source: Tensor, *, keep_graph: bool | None = None) -> Tensor:
    """The gradient of (N,) scores by a source (N, ...); a NoGradientError if there is no path from one to the other.

    With ``keep_graph`` it can be differentiated itself; by default that is so if the source has a graph of its own.
    """
    if not score.requires_grad:
        raise NoGradientError("the score has no gradient")
    keep = not source.is_leaf if keep_graph is None else keep_graph
    again = keep or shared.get() is not None
    (result,) = torch.autograd.grad(score.sum(), source, retain_graph=again, create_graph=keep, allow_unused=True)
    if result is None:
        raise NoGradientError("the score has no gradient to what is asked")
    return result


def gradients(score: Tensor, sources: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradients of (N,) scores by several sources (N, ...); None by those that do not change them."""
    if not score.requires_grad:
        raise NoGradientError("the score has no gradient")
    return list(torch.autograd.grad(score.sum(), sources, allow_unused=True))
