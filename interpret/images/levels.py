"""The 256 levels of an 8-bit picture file."""

import numpy as np
import torch
from torch import Tensor

from ..errors import InterpretError


def to_levels(images: Tensor) -> Tensor:
    """Round to the nearest of the 256 levels that an 8-bit file can hold.

    Args:
        images: any shape, floating point, in [0, 1].

    Returns:
        The levels, uint8, of the same shape.

    Raises:
        InterpretError: the values are not floating point, or not in [0, 1].
    """
    if not images.is_floating_point():
        raise InterpretError(f"a picture must be floating point in [0, 1], not {images.dtype}; see from_levels")
    if images.isnan().any():
        raise InterpretError("the picture holds NaN; look for what made it")
    if ((images < 0) | (images > 1)).any():
        span = f"[{images.min():.6g}, {images.max():.6g}]"
        raise InterpretError(f"a picture must lie in [0, 1], not in {span}; clamp or rescale it")
    return (images.detach() * 255).round().to(torch.uint8)


def from_levels(levels: Tensor) -> Tensor:
    """The brightness of 8-bit levels; `to_levels` takes it back to exactly the same levels.

    Args:
        levels: uint8, of any shape.

    Returns:
        float32 in [0, 1], of the same shape: the levels divided by 255.
    """
    return levels.to(torch.float32, memory_format=torch.contiguous_format).div_(255)


def in_unit_range(stored: Tensor) -> Tensor:
    """A picture as its file holds it, 8-bit levels or float32, as float32 in [0, 1]."""
    if stored.dtype != torch.uint8:
        return stored
    if stored.device.type != "cpu":
        return from_levels(stored)
    levels = stored.numpy()  # not by PyTorch, which would start threads where a thread reads
    return torch.from_numpy(np.divide(levels, 255, out=np.empty(levels.shape, np.float32), dtype=np.float32))
