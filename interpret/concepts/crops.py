"""Crops of pictures, each as large as its picture to the network, and what a layer gives for them on average."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layer_outputs import maps_of

OVERLAP = 0.2  # of a crop's side, with the next one


class Crop(NamedTuple):
    """A square part of a picture, on the network's input grid."""

    picture: int
    left: int
    top: int
    side: int

    def cut(self, inputs: Tensor) -> Tensor:
        """The part (1, C, side, side) of its picture (1, C, h, w)."""
        return inputs[..., self.top : self.top + self.side, self.left : self.left + self.side]


def crops_of(picture: int, size: tuple[int, int], share: float) -> list[Crop]:
    """Crops that cover a picture (h, w), each of so large a share of its shorter side."""
    side = max(1, round(share * min(size)))
    rows, columns = (_places(length, side) for length in size)
    return [Crop(picture, left, top, side) for top in rows for left in columns]


def _places(length: int, side: int) -> list[int]:
    """Where crops begin, from end to end."""
    count = math.ceil((length - side) / ((1 - OVERLAP) * side)) + 1
    return [round(i * (length - side) / max(1, count - 1)) for i in range(count)]


def mean_activations(
    view: nn.Module, inputs: Tensor, crops: Sequence[Crop], layer: str, *, max_batch: int = 16
) -> Tensor:
    """The activations (M, K) of crops of one picture (1, C, h, w), cut at zero, as means over all places of the layer.

    Each crop is enlarged to the picture's size, as in section 3.1 of CRAFT.
    """
    found = []
    for start in range(0, len(crops), max_batch):
        parts = torch.cat([crop.cut(inputs) for crop in crops[start : start + max_batch]])
        large = F.interpolate(parts, inputs.shape[-2:], mode="bilinear", antialias=False)
        found.append(maps_of(view, large, layer).float().clamp(min=0).mean((2, 3)))
    return torch.cat(found)
