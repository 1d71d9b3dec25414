"""What no rule can see: code that PyTorch does not call by name."""

import torch
from torch import Tensor, nn

from ...errors import NetworkError


def check_scripts(method: str, network: object) -> None:
    """Refuse a network with parts in TorchScript."""
    modules = network.modules() if isinstance(network, nn.Module) else []
    if any(isinstance(module, torch.jit.ScriptModule) for module in modules):
        raise NetworkError(f"{method} cannot see into TorchScript; build the network in Python instead")


def check_seen(method: str, scores: Tensor, network: object) -> None:
    """Refuse scores (N,) that were made by custom autograd functions or compiled code."""
    check_scripts(method, network)
    waiting, seen = [scores.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, torch.autograd.function.BackwardCFunction) and node.name() != "_GivenBackward":
            raise NetworkError(
                f"{method} cannot see into {node.name().removesuffix('Backward')}, a custom autograd function or "
                "compiled code; integrated gradients take any network"
            )
        waiting.extend(following for following, _ in node.next_functions)
