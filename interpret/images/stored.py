"""Pictures as their files hold them, laid on a network's input grid."""

from dataclasses import replace

import torch
from torch import Tensor

from ..geometry import Geometry
from ..strips import strips
from .levels import from_levels, in_unit_range


def inputs_of(stored: Tensor, geometry: Geometry) -> Tensor:
    """What ``geometry.apply`` makes of a picture (1, C, H, W) of 8-bit levels (uint8), or in [0, 1]; bit for bit."""
    size = geometry.picture[0], geometry.resized[1]
    if stored.dtype != torch.uint8 or size[1] >= geometry.picture[1]:
        return geometry.apply(in_unit_range(stored))
    # Some rows at a time made narrower, which `interpolate` does first too, and then all of them lower.
    narrow = torch.empty(*stored.shape[:2], *size, device=stored.device)
    for rows in strips(*geometry.picture):
        narrow[:, :, rows] = geometry.resize(from_levels(stored[:, :, rows]), (rows.stop - rows.start, size[1]))
    return replace(geometry, picture=size).apply(narrow)
