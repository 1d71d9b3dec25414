"""One law for all: whatever a call does, and however it ends, it leaves everything as it found it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def left_as_found(network: nn.Module, *inputs: Tensor) -> Iterator[None]:
    """A block, which may raise, that changes nothing about a network, its inputs and the state of torch."""
    before = state_of(network, *inputs)
    try:
        yield
    finally:
        assert_same(before, state_of(network, *inputs))


def state_of(network: nn.Module, *inputs: Tensor) -> dict[str, Any]:
    """Everything that a call could change."""
    modules, parameters = list(network.modules()), list(network.parameters())
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "modules": [id(module) for module in modules],
        "modes": [module.training for module in modules],
        "hooks": [len(getattr(module, name)) for module in modules for name in hooks],
        "attributes": [sorted(vars(module)) for module in modules],
        "differentiable": [tensor.requires_grad for tensor in (*parameters, *inputs)],
        "gradients": [None if tensor.grad is None else tensor.grad.clone() for tensor in (*parameters, *inputs)],
        "values": [tensor.detach().clone() for tensor in (*network.state_dict().values(), *inputs)],
        "random": torch.get_rng_state(),
        "torch": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()),
    }


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Compare two states, tensors bit for bit."""
    for name, value in before.items():
        if name in ("gradients", "values", "random"):
            torch.testing.assert_close(after[name], value, rtol=0, atol=0, equal_nan=True, msg=name)
        else:
            assert after[name] == value, name
