"""JPEG compression, with gradients (Wallace 1992, https://doi.org/10.1109/30.125072)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import AttackError

# The standard's annex K: how coarsely each frequency of a block is kept at quality 50.
LUMA = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
]
CHROMA = [
    [17, 18, 24, 47],
    [18, 21, 26, 66],
    [24, 26, 56, 99],
    [47, 66, 99, 99],
]
TO_YCBCR = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
TO_RGB = [[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]]
SLACK = 0.02  # how far outside of [0, 1] the rounding of frequencies takes an even area


def compressed(images: Tensor, quality: Tensor, *, subsample: bool = True) -> Tensor:
    """Images (N, 3, H, W) or (N, 1, H, W), of 8-bit levels, as they come back from a JPEG file.

    The quality (N,) runs from 1 to 100, as in libjpeg; with ``subsample`` colours are stored at half the resolution
    (4:2:0), as most programs do. Rounding has the gradient of the identity: its own is zero, and would stop every
    attack.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3):
        raise AttackError(f"JPEG takes pictures (N, 3, H, W) or (N, 1, H, W), not {tuple(images.shape)}")
    levels = round_straight_through(clamp_straight_through(images) * 255)
    grey = images.shape[1] == 1
    luma, *chroma = (levels if grey else round_straight_through(_weighted_sums(levels, TO_YCBCR))).split(1, 1)
    levels = _quantize_blocks(luma - 128, _table(LUMA, quality)) + 128
    if not grey:
        coarse = _table([row + [99] * 4 for row in CHROMA] + [[99] * 8] * 4, quality)
        planes = [levels, *(_chroma(plane, coarse, subsample) for plane in chroma)]
        levels = _weighted_sums(torch.cat(planes, 1), TO_RGB)
    return clamp_straight_through(round_straight_through(levels) / 255, SLACK)


def round_straight_through(values: Tensor) -> Tensor:
    """The nearest whole numbers, with the gradient of the identity."""
    return values + (values.round() - values).detach()


def clamp_straight_through(images: Tensor, slack: float = 1e-5) -> Tensor:
    """Values clamped to [0, 1]; the gradient ends only beyond the slack, lest rounding leave black and white stuck."""
    near = images.clamp(-slack, 1 + slack)
    return near + (near.clamp(0, 1) - near).detach()


def _chroma(plane: Tensor, table: Tensor, subsample: bool) -> Tensor:
    if not subsample:
        return _quantize_blocks(plane, table)
    height, width = plane.shape[-2:]
    small = F.avg_pool2d(F.pad(plane, (0, width % 2, 0, height % 2), mode="replicate"), 2)
    # libjpeg's decoder weighs neighbours 3 to 1, which is bilinear interpolation.
    large = F.interpolate(_quantize_blocks(small, table), scale_factor=2, mode="bilinear", align_corners=False)
    return large[..., :height, :width]


def _quantize_blocks(plane: Tensor, table: Tensor) -> Tensor:
    """(N, 1, H, W) with the cosine transforms of 8 x 8 blocks rounded to multiples of a table (N, 8, 8)."""
    count, _, height, width = plane.shape
    whole = F.pad(plane, (0, -width % 8, 0, -height % 8), mode="replicate")
    down, across = whole.shape[-2] // 8, whole.shape[-1] // 8
    blocks = whole.view(count, down, 8, across, 8).transpose(2, 3)
    cosines = _cosines(plane)
    table = table[:, None, None].to(plane)
    frequencies = round_straight_through(cosines @ blocks @ cosines.T / table) * table
    back = cosines.T @ frequencies @ cosines
    return round_straight_through(back.transpose(2, 3).reshape(whole.shape)[..., :height, :width])


def _cosines(like: Tensor) -> Tensor:
    """(8, 8) the orthonormal cosine transform."""
    frequency, place = torch.arange(8.0, dtype=torch.float64)[:, None], torch.arange(8.0, dtype=torch.float64)
    cosines = (math.pi * frequency * (2 * place + 1) / 16).cos() / 2
    cosines[0] /= math.sqrt(2)
    return cosines.to(like)


def _table(base: list[list[int]], quality: Tensor) -> Tensor:
    """(N, 8, 8) the standard's table, scaled as by libjpeg."""
    quality = quality.double().round().clamp(1, 100)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    table = torch.tensor(base, dtype=torch.float64, device=quality.device) * percent[:, None, None]
    return ((table + 50) / 100).floor().clamp(1, 255)


def _weighted_sums(planes: Tensor, weights: list[list[float]]) -> Tensor:
    """Three weighted sums of three planes, term by term: a fixed order of summation does not depend on the batch."""
    red, green, blue = planes.split(1, 1)
    return torch.cat([row[0] * red + row[1] * green + row[2] * blue for row in weights], 1)
