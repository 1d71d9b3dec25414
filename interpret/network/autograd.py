"""Derivatives of scores, and the passes that several of them share."""

from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

# Inside `sharing.shared_passes`, the passes that several methods differentiate.
shared: ContextVar[dict[Any, Any] | None] = ContextVar("passes that are shared", default=None)


def leaf(inputs: Tensor) -> Tensor:
    """The inputs as something to differentiate by: themselves where a caller follows the graph below."""
    return inputs if inputs.requires_grad else inputs.detach().requires_grad_()


def gradient(score: Tensor, source: Tensor, *, keep_graph: bool | None = None) -> Tensor:
    """The gradient of (N,) scores, one a sample, by (N, ...) values; zero where they do not depend on these.

    With ``keep_graph`` it can be differentiated itself; by default where the source was computed from something.
    """
    if not score.requires_grad:
        return torch.zeros_like(source)
    keep = not source.is_leaf if keep_graph is None else keep_graph
    again = keep or shared.get() is not None
    (result,) = torch.autograd.grad(score.sum(), source, retain_graph=again, create_graph=keep, allow_unused=True)
    return torch.zeros_like(source) if result is None else result
