"""Weights that are changed and put back: adversarial weight perturbation, and averages over steps."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from .batch import LossOf


@contextmanager
def perturbed(network: nn.Module, loss_of: LossOf, size: float) -> Iterator[None]:
    """Adversarial weight perturbation (Wu et al. 2020, https://arxiv.org/abs/2004.05884).

    Inside the block, every weight matrix or kernel is moved up the loss by ``size`` (gamma) times its own length (eq.
    10, one step); afterwards the weights are what they were, bit for bit. Buffers, such as running means, change only
    by what happens inside the block.
    """
    weights = [parameter for parameter in network.parameters() if parameter.requires_grad and parameter.dim() > 1]
    saved = [(tensor, tensor.detach().clone()) for tensor in (*weights, *network.buffers())]
    buffers = saved[len(weights) :]
    try:
        gradients = torch.autograd.grad(loss_of(), weights, allow_unused=True)
        with torch.no_grad():
            for buffer, before in buffers:  # which this forward pass has changed
                buffer.copy_(before)
            for weight, gradient in zip(weights, gradients, strict=True):
                # One of fp16 may overflow; its direction is not known then.
                if gradient is not None and (length := float(gradient.norm())) < float("inf"):
                    weight.add_(gradient, alpha=float(size * weight.norm() / max(length, 1e-12)))
        saved = saved[: len(weights)]
        yield
    finally:
        with torch.no_grad():
            for tensor, before in saved:
                tensor.copy_(before)


@torch.no_grad()
def update_average(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    """Update an exponential average of a network's state; what is not floating point is copied."""
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)


@contextmanager
def in_place_of(network: nn.Module, state: dict[str, Tensor] | None) -> Iterator[None]:
    """A block in which a network has another state; None leaves it alone."""
    if state is None:
        yield
        return
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(state)
    try:
        yield
    finally:
        network.load_state_dict(before)
