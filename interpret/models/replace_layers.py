"""Networks for other classes or other channels: a copy in which one layer has new, random weights."""

import copy

import torch
from torch import nn

from ..errors import NetworkError


def adapted(network: nn.Module, classes: int) -> nn.Module:
    """A copy of a trained network with a new classification layer, for classes of one's own.

    Args:
        network: its last ``nn.Linear`` or 1 x 1 convolution gives the logits, and is replaced. What is frozen stays
            frozen: ``requires_grad_(True)`` lets all of a network from `load` be trained.
        classes: how many the copy tells apart.

    Returns:
        The copy. The weights of the new layer are drawn from torch's global generator and are not frozen.

    Raises:
        NetworkError: the network has no such layer.
    """
    copied = copy.deepcopy(network)
    heads = [module for module in copied.modules() if _may_be_head(module)]
    if not heads:
        raise NetworkError(f"{type(network).__name__} has no linear layer or 1 x 1 convolution to replace")
    head = heads[-1]
    setattr(head, "out_features" if isinstance(head, nn.Linear) else "out_channels", classes)
    _redraw(head, (classes, *head.weight.shape[1:]))
    return copied


def with_channels(network: nn.Module, channels: int) -> nn.Module:
    """A copy of a network whose first convolution is a new one, randomly drawn, for another number of channels."""
    copied = copy.deepcopy(network)
    first = next((module for module in copied.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None:
        raise NetworkError(f"{type(network).__name__} has no convolution to replace")
    first.in_channels = channels
    _redraw(first, (first.out_channels, channels, *first.kernel_size))
    if hasattr(copied, "transform_input"):  # Inception's own scaling is of three channels
        copied.transform_input = False
    return copied


def _may_be_head(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1))


def _redraw(layer: nn.Linear | nn.Conv2d, shape: tuple[int, ...]) -> None:
    """Give a layer weights of another shape; its kind stays, which may be a subclass that pads."""
    layer.weight = nn.Parameter(layer.weight.new_empty(shape))
    if layer.bias is not None:
        layer.bias = nn.Parameter(layer.bias.new_empty(shape[0]))
    with torch.inference_mode(False):
        layer.reset_parameters()
