"""Pictures of a report: small, the part that the network sees, with a map over it and the map alone."""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..figures.colours import Scale
from ..figures.display import Display
from ..geometry import Geometry
from ..images.files import encode, to_pil

LARGEST = 640  # pixels of a whole picture's longer side
SHARPEST = 448  # of a map's
SMALLEST = 224
QUALITY = 82


@dataclass(frozen=True)
class MapPictures:
    """A map in two views, and what its colours mean."""

    over: bytes  # WebP, over the picture
    alone: bytes  # WebP
    colours: str  # of the map alone: "heat", "signed" or "own", around grey
    limit: float  # the value that has the strongest colour


def webp(picture: Image.Image) -> bytes:
    """A picture as a WebP file."""
    return encode(picture, ".webp", quality=QUALITY)


def photo_of(image: Tensor) -> bytes:
    """A whole picture (1, 3, H, W) in [0, 1] as a WebP file."""
    return webp(_sized(to_pil(image.cpu()), LARGEST))


def visible_part(image: Tensor, geometry: Geometry) -> Image.Image:
    """What the network sees of a picture (1, 3, H, W), in a size that suits a page."""
    photo = to_pil(image.cpu())
    if not geometry.whole:
        photo = photo.crop([round(edge) for edge in geometry.box])
    return _sized(photo, SHARPEST)


def _sized(photo: Image.Image, largest: int) -> Image.Image:
    """A picture whose longer side has from ``SMALLEST`` to so many pixels."""
    scale = min(max(max(photo.size), SMALLEST), largest) / max(photo.size)
    return photo.resize([max(1, round(side * scale)) for side in photo.size], Image.Resampling.LANCZOS)


def map_pictures(part: Image.Image, attribution: Tensor, method: str) -> MapPictures:
    """An attribution (1, C, h, w) on the network's input, over what the network sees of the picture and alone.

    Attributions that papers show in colours are laid over the picture by their sizes.
    """
    display = Display.of(method)
    coloured = display.aggregate == "colours" and attribution.shape[1] == 3
    sizes = replace(display, aggregate="max", signed=False) if coloured else display
    over, _ = _view(replace(sizes, view="overlay"), part, attribution)
    alone, scale = _view(replace(display, view="heatmap"), part, attribution)
    colours = "own" if coloured else "signed" if scale.signed else "heat"
    return MapPictures(webp(over), webp(alone), colours, scale.limit)


def _view(display: Display, part: Image.Image, attribution: Tensor) -> tuple[Image.Image, Scale]:
    image = torch.from_numpy(np.array(part)).permute(2, 0, 1)[None] / 255
    values = display.values(attribution)
    scale = display.colour_scale(values)
    laid = F.interpolate(values.float(), tuple(image.shape[-2:]), mode="bilinear")
    return display.draw(image, laid, limit=scale.limit, signed=scale.signed), scale
