"""Where the object is in a picture: boxes or masks."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import InterpretError
from ..geometry import Geometry


def region_of_boxes(boxes: Sequence[Sequence[float]], height: int, width: int) -> Tensor:
    """The pixels inside at least one box.

    Args:
        boxes: of left, top, right, bottom in pixels.
        height: of the picture.
        width: of the picture.

    Returns:
        (height, width) booleans.

    Raises:
        InterpretError: a box that is none.
    """
    region = torch.zeros(height, width, dtype=torch.bool)
    for box in boxes:
        if len(box) != 4 or box[0] >= box[2] or box[1] >= box[3]:
            raise InterpretError(f"a box is left, top, right, bottom, not {list(box)}")
        left, top, right, bottom = (max(0, round(number)) for number in box)
        region[top:bottom, left:right] = True
    return region


def on_input(region: Tensor, geometry: Geometry) -> Tensor:
    """(h, w) booleans on the network's input grid of (H, W) booleans on the picture."""
    return geometry.apply(region[None, None].float())[0, 0] > 0.5


def check_regions(attribution: Tensor, regions: Tensor) -> None:
    """Refuse maps and regions that do not lie on each other."""
    wanted = (len(attribution), 1, *regions.shape[1:])
    if regions.dim() != 3 or regions.dtype != torch.bool or tuple(attribution.shape) != wanted:
        shapes = f"{tuple(attribution.shape)} and {tuple(regions.shape)}"
        raise InterpretError(f"maps of shape (N, 1, H, W) need (N, H, W) booleans, not {shapes}")
