"""Where the object is in a picture: boxes or masks, and the files that hold them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import InterpretError, PictureError
from ..geometry import Geometry
from ..images.files import read
from .folders import SUFFIXES

# From the path of a picture below its folder, and the picture (1, C, H, W), to (H, W) booleans, or to None for a
# picture whose object is not known.
Regions = Callable[[Path, Tensor], Tensor | None]


def read_regions(path: Path) -> Regions:
    """A function that says where the objects are in the pictures of a data set, from a JSON file or a folder of masks.

    The file has for each picture's file name a box [left, top, right, bottom], a list of boxes, or an object with a
    "box". The masks have the names of the pictures, and are light where the object is.
    """
    if path.is_dir():
        return lambda inside, image: _region_of_mask(path, inside, image)
    try:
        boxes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InterpretError(f"{path} is no folder of masks and no JSON file of boxes") from error
    if not isinstance(boxes, dict):
        raise InterpretError(f"{path} needs an object that has a box for each file's name")
    return lambda inside, image: _region_in(boxes, inside, image)


def _region_in(boxes: dict[str, Any], inside: Path, image: Tensor) -> Tensor | None:
    found = boxes.get(inside.as_posix(), boxes.get(inside.name))
    found = found.get("box") if isinstance(found, dict) else found
    if not found:
        return None
    several = found if isinstance(found[0], list) else [found]
    return region_of_boxes(several, *image.shape[2:])


def _region_of_mask(folder: Path, inside: Path, image: Tensor) -> Tensor | None:
    places = [folder / inside.with_suffix(suffix) for suffix in SUFFIXES]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None
    mask = read(path)
    if mask.shape[2:] != image.shape[2:]:
        raise PictureError(f"the mask {path} does not have the size of its picture")
    return mask[0].mean(0) > 0.5


def region_of_boxes(boxes: Sequence[Sequence[float]], height: int, width: int) -> Tensor:
    """(height, width) booleans: the pixels inside at least one box of left, top, right, bottom in pixels."""
    region = torch.zeros(height, width, dtype=torch.bool)
    for box in boxes:
        if len(box) != 4 or box[0] >= box[2] or box[1] >= box[3]:
            raise InterpretError(f"a box is left, top, right, bottom, not {list(box)}")
        left, top, right, bottom = (max(0, round(number)) for number in box)
        region[top:bottom, left:right] = True
    return region


def on_input(region: Tensor, geometry: Geometry) -> Tensor:
    """A region of the picture, (H, W) booleans, as one on the network's input grid, (h, w)."""
    return geometry.apply(region[None, None].float())[0, 0] > 0.5


def check_regions(attribution: Tensor, regions: Tensor) -> None:
    """Refuse maps and regions of different shapes."""
    wanted = (len(attribution), 1, *regions.shape[1:])
    if regions.dim() != 3 or regions.dtype != torch.bool or tuple(attribution.shape) != wanted:
        shapes = f"{tuple(attribution.shape)} and {tuple(regions.shape)}"
        raise InterpretError(f"maps of shape (N, 1, H, W) need (N, H, W) booleans, not {shapes}")
