"""What JPEG compression does to a picture, with gradients (Wallace 1992, https://doi.org/10.1109/30.125072)."""

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
COARSE = 0.02  # how far out of [0, 1] the rounding of frequencies takes an even area
TO_RGB = [[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]]


def compressed(images: Tensor, quality: Tensor, *, subsample: bool = True) -> Tensor:
    """Pictures as they come back from a JPEG file.

    Rounding has the gradient of the identity: that of a step is zero, and would stop every attack.

    Args:
        images: (N, 3, H, W) or (N, 1, H, W) in [0, 1]; what is beyond is cut, as in a file.
        quality: (N,) from 1 to 100, as libjpeg counts it.
        subsample: whether colours are stored at half the resolution (4:2:0), as most programs do.

    Returns:
        As images, on the 8-bit grid.

    Raises:
        AttackError: neither one channel nor three.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3):
        raise AttackError(f"JPEG takes pictures (N, 3, H, W) or (N, 1, H, W), not {tuple(images.shape)}")
    levels = rounded(cut(images) * 255)
    if images.shape[1] == 1:
        return cut(rounded(_quantised(levels - 128, _table(LUMA, quality)) + 128) / 255, COARSE)
    luma, *chroma = rounded(_mixed(levels, TO_YCBCR)).split(1, 1)
    coarse = _table([row + [99] * 4 for row in CHROMA] + [[99] * 8] * 4, quality)
    luma = _quantised(luma - 128, _table(LUMA, quality)) + 128
    chroma = [_chroma(plane, coarse, subsample) for plane in chroma]
    return cut(rounded(_mixed(torch.cat([luma, *chroma], 1), TO_RGB)) / 255, COARSE)


def rounded(values: Tensor) -> Tensor:
    """The nearest whole numbers, with the gradient of the values themselves."""
    return values + (values.round() - values).detach()


def cut(images: Tensor, slack: float = 1e-5) -> Tensor:
    """Values in [0, 1]. Those that rounding alone took out keep their gradient: black and white must not be stuck."""
    near = images.clamp(-slack, 1 + slack)
    return near + (near.clamp(0, 1) - near).detach()


def _chroma(plane: Tensor, table: Tensor, subsample: bool) -> Tensor:
    if not subsample:
        return _quantised(plane, table)
    height, width = plane.shape[-2:]
    small = F.avg_pool2d(F.pad(plane, (0, width % 2, 0, height % 2), mode="replicate"), 2)
    # libjpeg's decoder weighs neighbours 3 to 1, which is bilinear interpolation.
    large = F.interpolate(_quantised(small, table), scale_factor=2, mode="bilinear", align_corners=False)
    return large[..., :height, :width]


def _quantised(plane: Tensor, table: Tensor) -> Tensor:
    """(N, 1, H, W) after the cosine transform of 8 x 8 blocks was rounded to multiples of the table (N, 8, 8)."""
    count, _, height, width = plane.shape
    whole = F.pad(plane, (0, -width % 8, 0, -height % 8), mode="replicate")
    down, across = whole.shape[-2] // 8, whole.shape[-1] // 8
    blocks = whole.view(count, down, 8, across, 8).transpose(2, 3)
    waves = _waves(plane)
    table = table[:, None, None].to(plane)
    frequencies = rounded(waves @ blocks @ waves.T / table) * table
    back = waves.T @ frequencies @ waves
    return rounded(back.transpose(2, 3).reshape(whole.shape)[..., :height, :width])


def _waves(like: Tensor) -> Tensor:
    """(8, 8) the cosine transform, orthonormal."""
    frequency, place = torch.arange(8.0, dtype=torch.float64)[:, None], torch.arange(8.0, dtype=torch.float64)
    waves = (math.pi * frequency * (2 * place + 1) / 16).cos() / 2
    waves[0] /= math.sqrt(2)
    return waves.to(like)


def _table(base: list[list[int]], quality: Tensor) -> Tensor:
    """(N, 8, 8) libjpeg's scaling of the standard's table."""
    quality = quality.double().round().clamp(1, 100)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    table = torch.tensor(base, dtype=torch.float64, device=quality.device) * percent[:, None, None]
    return ((table + 50) / 100).floor().clamp(1, 255)


def _mixed(planes: Tensor, weights: list[list[float]]) -> Tensor:
    """Each new plane a weighted sum of the three, one by one: sums of a fixed order do not depend on the batch."""
    red, green, blue = planes.split(1, 1)
    return torch.cat([row[0] * red + row[1] * green + row[2] * blue for row in weights], 1)
