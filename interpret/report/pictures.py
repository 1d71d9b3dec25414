"""Pictures of a report: small, the part that the network sees, with a map over it and the map alone."""

import base64
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..explainers import DRAWINGS, EXPLAINERS
from ..explainers.aggregation import combined
from ..figures.display import heatmap, limit_of, overlay, own_colours
from ..geometry import Geometry
from ..images.files import encode, to_pil

LARGEST = 640  # pixels of a whole picture's longer side
SHARPEST = 448  # of a map's
SMALLEST = 224
QUALITY = 82


@dataclass(frozen=True)
class Part:
    """What the network sees of a picture."""

    picture: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.size

    def tensor(self) -> Tensor:
        """(1, 3, h, w), in [0, 1]."""
        return torch.from_numpy(np.array(self.picture)).permute(2, 0, 1)[None] / 255

    def webp(self) -> bytes:
        """A WebP file."""
        return webp(self.picture)


@dataclass(frozen=True)
class Drawn:
    """A map in two views, and what its colours mean."""

    over: bytes  # WebP, over the picture
    alone: bytes  # WebP
    colours: str  # of the map alone: "heat", "signed" or "own", around grey
    limit: float  # the value that has the strongest colour


def webp(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """A picture as a WebP file."""
    return encode(picture, ".webp", quality=quality)


def data_uri(content: bytes) -> str:
    """A WebP file as an address that holds all of it."""
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"


def photo_of(image: Tensor) -> bytes:
    """A whole picture (1, 3, H, W) in [0, 1] as a WebP file."""
    return webp(_sized(to_pil(image.cpu()), LARGEST))


def seen_part(image: Tensor, geometry: Geometry) -> Part:
    """What the network sees of a picture (1, 3, H, W), in a size that suits a page."""
    photo = to_pil(image.cpu())
    if not geometry.whole:
        photo = photo.crop([round(edge) for edge in geometry.box])
    return Part(_sized(photo, SHARPEST))


def _sized(photo: Image.Image, largest: int) -> Image.Image:
    """A picture whose longer side has from ``SMALLEST`` to so many pixels."""
    scale = min(max(max(photo.size), SMALLEST), largest) / max(photo.size)
    return photo.resize([max(1, round(side * scale)) for side in photo.size], Image.Resampling.LANCZOS)


def drawn_map(part: Part, attribution: Tensor, method: str) -> Drawn:
    """An attribution (1, C, h, w) on the network's input in the way its method is drawn.

    Methods that papers draw in colours are laid over the picture by their sizes.
    """
    drawing = DRAWINGS[EXPLAINERS[method]]
    coloured = drawing["aggregate"] == "colours" and attribution.shape[1] == 3
    if coloured:
        values = combined(attribution, "max", absolute=True)
    else:
        how = "sum" if drawing["aggregate"] == "colours" else drawing["aggregate"]
        values = combined(attribution, how, absolute=drawing["absolute"])
    limit = limit_of(values, percentile=drawing["percentile"])
    signed = bool((values < -1e-3 * limit).any())
    image = part.tensor()
    laid = _spread(values, image)
    over = overlay(image, laid, limit=limit, signed=signed)
    if coloured:
        bright = limit_of(attribution, percentile=drawing["percentile"])
        return Drawn(webp(over), webp(own_colours(_spread(attribution, image), limit=bright)), "own", bright)
    alone = heatmap(laid, limit=limit, signed=signed)
    return Drawn(webp(over), webp(alone), "signed" if signed else "heat", limit)


def _spread(values: Tensor, image: Tensor) -> Tensor:
    return F.interpolate(values.float(), tuple(image.shape[-2:]), mode="bilinear")
