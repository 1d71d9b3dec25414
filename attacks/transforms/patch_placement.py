"""Laying a patch on pictures: anywhere, at any angle, larger or smaller."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.ball import check_images
from ..core.seeds import Noise, Seed
from ..errors import AttackError
from .random_transforms import noise_apart
from .warp import check_spatial, grid

SHAPES = {
    "circle": (lambda places: places.square().sum(-1) <= 1, math.pi / 4),
    "square": (lambda places: places.abs().amax(-1) <= 1, 1),
}  # which places (..., 2) within [-1, 1] it covers, and how much of the square about it


def apply_patch(
    images: Tensor,
    patch: Tensor,
    *,
    share: float | tuple[float, float] = 0.25,
    shape: str = "circle",
    degrees: float = 20,
    seed: Seed = 0,
) -> Tensor:
    """Pictures with a patch on each, wholly inside, at a random place, scale and angle.

    Args:
        images: (N, C, H, W) in [0, 1].
        patch: (C, side, side) in [0, 1], of any number of pixels.
        share: of a picture's area that the patch covers, or the least and the most.
        shape: "circle" or "square".
        degrees: how far it turns, at most, to either side.
        seed: of the places, which differ from picture to picture; or one for each, or a generator.

    Returns:
        (N, C, H, W) in [0, 1]: the images outside the patch, bit for bit.

    Raises:
        AttackError: the patch does not fit on the pictures.
    """
    check_images(images)
    if patch.dim() != 3 or patch.shape[0] != images.shape[1]:
        raise AttackError(f"a patch for these pictures is ({images.shape[1]}, side, side), not {tuple(patch.shape)}")
    copies = patch.to(images).expand(len(images), *patch.shape)
    return laid(images, copies, share, shape, degrees, noise_apart(seed, len(images))).clamp(0, 1)


def laid(
    images: Tensor, patches: Tensor, share: float | tuple[float, float], shape: str, degrees: float, noise: Noise
) -> Tensor:
    """As ``apply_patch``, with a patch (n, C, side, side) and noise for each picture."""
    height, width = images.shape[-2:]
    low, high = sides(images, share, shape)
    half = (low**2 + (high**2 - low**2) * noise.uniform(like=images)).sqrt() / 2
    angle = (2 * noise.uniform(like=images) - 1) * degrees * math.pi / 180
    cosine, sine = angle.cos(), angle.sin()
    reach = half if shape == "circle" else half * (cosine.abs() + sine.abs())
    right, down = (
        (2 * noise.uniform(like=images) - 1) * (length / 2 - reach).clamp_min(0) for length in (width, height)
    )
    # From a place of the picture, in its half sides, to one of the patch, in its own.
    rows = [[cosine * width / 2, sine * height / 2, -cosine * right - sine * down]]
    rows += [[-sine * width / 2, cosine * height / 2, sine * right - cosine * down]]
    places = grid([[value / half for value in row] for row in rows], images)
    covered = SHAPES[shape][0](places)[:, None]
    return torch.where(covered, F.grid_sample(patches, places, padding_mode="border", align_corners=False), images)


def sides(images: Tensor, share: float | tuple[float, float], shape: str) -> tuple[float, float]:
    """The least and the greatest side, in pixels, of the square about the patch."""
    check_spatial(images)
    if shape not in SHAPES:
        raise AttackError(f"a patch is a {' or a '.join(SHAPES)}, not a {shape}")
    shares = share if isinstance(share, Sequence) else (share, share)
    low, high = (math.sqrt(max(0, part) * images[0, 0].numel() / SHAPES[shape][1]) for part in shares)
    if not 0 < low <= high <= min(images.shape[-2:]):
        raise AttackError(f"a {shape} of {share} of the area does not fit on pictures of {tuple(images.shape[-2:])}")
    return low, high
