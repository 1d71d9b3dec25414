"""Blurs: of focus, glass, motion and zoom (Hendrycks and Dietterich 2019, appendix B)."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .draws import Draws

LEVELS = 255


def defocus_blur(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """A lens out of focus: every point becomes a disk, whose edge is softened a little."""
    radius, softness = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))[severity - 1]
    reach, edge = (8, 1) if radius <= 8 else (radius, 2)
    places = torch.arange(-reach, reach + 1, dtype=torch.float64)
    disk = (places[:, None] ** 2 + places**2 <= radius**2).double()
    disk = smoothed((disk / disk.sum())[None, None], softness, edge, mode="reflect")[0, 0]
    return _convolved(F.pad(images, [reach] * 4, mode="reflect"), disk.to(images))


def glass_blur(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Frosted glass: blurred, each pixel replaced by one near it, and blurred again.

    The published code means to swap two pixels, but writes one over the other; results on ImageNet-C are of that.
    """
    sigma, most, times = ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))[severity - 1]
    levels = (smoothed(images, sigma) * LEVELS).floor()
    for _ in range(times):
        levels = _replaced(levels, most, draws)
    return smoothed(levels / LEVELS, sigma)


def motion_blur(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """A camera that moves, in a direction within 45 degrees of the horizontal."""
    radius, sigma = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))[severity - 1]
    return moved(images, radius, sigma, draws.uniform(-45, 45).tolist())


def zoom_blur(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """A camera that moves towards the scene: the mean of ever larger cuts of the middle."""
    most, step = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))[severity - 1]
    factors = np.arange(1, most, step).tolist()  # whose rounding decides how many there are
    height, width = images.shape[2:]
    total = images.clone()
    for factor in factors:
        total += magnified(images, factor)[..., :height, :width]
    return total / (len(factors) + 1)


def smoothed(images: Tensor, sigma: float, reach: int | None = None, *, mode: str = "replicate") -> Tensor:
    """Images (N, C, H, W) under a Gaussian, cut at four of its sigma or at a reach."""
    far = int(4 * sigma + 0.5) if reach is None else reach
    for axis, padding in ((2, (0, 0, far, far)), (3, (far, far, 0, 0))):
        images = smoothed_along(F.pad(images, padding, mode=mode), sigma, far, axis)
    return images


def smoothed_along(padded: Tensor, sigma: float, far: int, axis: int) -> Tensor:
    """Images under a Gaussian along one axis, which is longer by ``far`` at both ends before, and is not after."""
    places = torch.arange(-far, far + 1, dtype=torch.float64)
    kernel = torch.exp(-(places**2) / (2 * sigma**2))
    kernel, length = (kernel / kernel.sum()).tolist(), padded.shape[axis] - 2 * far
    total = torch.zeros_like(padded.narrow(axis, 0, length))
    for place, weight in enumerate(kernel):
        total.add_(padded.narrow(axis, place, length), alpha=weight)
    return total


def moved(images: Tensor, radius: int, sigma: float, angles: Sequence[float]) -> Tensor:
    """Images (N, C, H, W) smeared along angles (N) in degrees, by one half of a Gaussian; edges are repeated."""
    height, width = images.shape[2:]
    steps = torch.arange(2 * radius + 1, dtype=torch.float64)
    weights = torch.exp(-(steps**2) / (2 * sigma**2))
    weights = (weights / weights.sum()).tolist()
    far = 2 * radius + 1
    padded = F.pad(images, [far] * 4, mode="replicate")
    results = torch.zeros_like(images)
    for picture, (result, angle) in enumerate(zip(results, angles, strict=True)):
        sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
        for step, weight in enumerate(weights):
            down, across = (math.ceil(step * part - 0.5) for part in (sine, cosine))
            if abs(down) >= height or abs(across) >= width:
                break  # the motion leaves the picture
            row, column = far + down, far + across
            result.add_(padded[picture, :, row : row + height, column : column + width], alpha=weight)
    return results


def magnified(images: Tensor, factor: float) -> Tensor:
    """The middle of images (N, C, H, W), magnified to their size or a little more."""
    sides = [math.ceil(side / factor) for side in images.shape[2:]]
    row, column = ((whole - side) // 2 for whole, side in zip(images.shape[2:], sides, strict=True))
    middle = images[..., row : row + sides[0], column : column + sides[1]]
    sizes = [round(side * factor) for side in sides]
    return F.interpolate(middle, size=sizes, mode="bilinear", align_corners=True)


def _convolved(padded: Tensor, kernel: Tensor) -> Tensor:
    """A convolution of (N, C, H, W) with a symmetric kernel (k, k), without padding."""
    size = padded.shape[-2:]
    product = torch.fft.rfft2(padded) * torch.fft.rfft2(kernel, s=size)
    first = kernel.shape[0] - 1
    return torch.fft.irfft2(product, s=size)[..., first:, first:]


def _replaced(images: Tensor, most: int, draws: Draws) -> Tensor:
    """Images (N, C, H, W) of which each pixel takes the value of one near it, the last pixel first.

    What is taken may itself have been replaced before. So each pixel points to another, and the chains of pointers
    are followed to their ends, twice as far in each round.
    """
    count, _, height, width = images.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    own = (rows * width + columns).expand(count, -1, -1)
    across, down = draws.integers(-most, most, 2, height, width).unbind(1)
    inside = (rows > most) & (rows <= height - most) & (columns > most) & (columns <= width - most)
    taken = torch.where(inside, own + down * width + across, own)
    ready = (taken > own) & inside.flatten()[taken]  # it was replaced before, as the last one comes first
    pixels = height * width
    # From "what pixel p becomes" (the first half) to another such, or to "what pixel p was" (the second).
    pointers = torch.cat([(taken + pixels * ~ready).flatten(1), torch.arange(pixels, 2 * pixels).expand(count, -1)], 1)
    while (pointers[:, :pixels] < pixels).any():
        pointers = pointers.gather(1, pointers)
    source = (pointers[:, :pixels] - pixels).to(images.device)
    return images.flatten(2).gather(2, source[:, None].expand(-1, images.shape[1], -1)).view_as(images)
