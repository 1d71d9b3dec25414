"""Random views of a picture: what is drawn must hold from all of them, which keeps noise out."""

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
    """Each picture shifted, scaled, rotated and perhaps mirrored at random, in one warp.

    What lies outside is the picture's own reflection: a grey border would be something to fit.

    Args:
        images: (N, C, H, W).
        generator: on the CPU.
        shift: the farthest, as a share of the sides.
        scale: the smallest and largest.
        rotate: the most, in degrees.
        mirror: whether half of the views are mirrored.

    Returns:
        (N, C, H, W).
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
