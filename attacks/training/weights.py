"""Changing weights and putting them back: adversarial weight perturbation, and averages over steps."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from .defenses import LossOf


@contextmanager
def perturbed(network: nn.Module, loss_of: LossOf, size: float) -> Iterator[None]:
    """Adversarial weight perturbation (Wu et al. 2020, https://arxiv.org/abs/2004.05884).

    Inside, every weight matrix or kernel has moved up the loss by ``size`` times its own length
    (eq. 10, one step); afterwards they are what they were, bit for bit. Buffers, such as running means,
    change by what happens inside alone.

    Args:
        network: whose weights.
        loss_of: what is raised.
        size: relative to each layer (gamma).
    """
    weights = [parameter for parameter in network.parameters() if parameter.requires_grad and parameter.dim() > 1]
    saved = [(tensor, tensor.detach().clone()) for tensor in (*weights, *network.buffers())]
    buffers = saved[len(weights) :]
    try:
        slopes = torch.autograd.grad(loss_of(), weights, allow_unused=True)
        with torch.no_grad():
            for buffer, before in buffers:  # what this look has changed, such as running means
                buffer.copy_(before)
            for weight, slope in zip(weights, slopes, strict=True):
                # Those of fp16 may overflow; their direction is not known then.
                if slope is not None and (length := float(slope.norm())) < float("inf"):
                    weight.add_(slope, alpha=float(size * weight.norm() / max(length, 1e-12)))
        saved = saved[: len(weights)]
        yield
    finally:
        with torch.no_grad():
            for tensor, before in saved:
                tensor.copy_(before)


@torch.no_grad()
def average_in(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    """Move an exponential average of a network's state a step on; what is not floating point is copied."""
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)


@contextmanager
def in_place_of(network: nn.Module, state: dict[str, Tensor] | None) -> Iterator[None]:
    """Put another state into a network for a while; None leaves it alone."""
    if state is None:
        yield
        return
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(state)
    try:
        yield
    finally:
        network.load_state_dict(before)
