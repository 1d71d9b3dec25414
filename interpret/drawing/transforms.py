"""Random views of a picture: a drawing has to raise its objective in all of them, which keeps noise out."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def views(
    images: Tensor,
    generator: torch.Generator,
    *,
    shift: float = 16 / 224,
    scale: tuple[float, float] = (0.7, 1.3),
    rotate: float = 15,
    mirror: bool = True,
) -> Tensor:
    """(N, C, H, W) pictures, each shifted, scaled, rotated and perhaps mirrored at random, in one warp.

    The shift is at most this share of the sides, the scale between these two, the rotation at most so many degrees to
    either side. Outside, a picture continues as its own reflection, since a grey border would be drawn too.
    """
    count = len(images)

    def draw(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    angle, size = draw(-rotate, rotate) * math.pi / 180, draw(*scale)
    flip = torch.where(draw(0, 1) < 0.5, -1.0, 1.0) if mirror else torch.ones(count)
    cosine, sine = angle.cos() / size, angle.sin() / size
    aspect = images.shape[-1] / images.shape[-2]
    # From a place of the view, in units of half the sides, to a place of the picture.
    warp = torch.stack(
        [
            torch.stack([cosine * flip, -sine / aspect, 2 * draw(-shift, shift)], 1),
            torch.stack([sine * aspect * flip, cosine, 2 * draw(-shift, shift)], 1),
        ],
        1,
    ).to(images)
    places = F.affine_grid(warp, list(images.shape), align_corners=False)
    return F.grid_sample(images, places, padding_mode="reflection", align_corners=False)
