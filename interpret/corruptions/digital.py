"""What processing does: contrast, elastic shifts, pixels, JPEG (Hendrycks and Dietterich 2019, appendix B)."""

import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..images.files import to_pil
from .blur import smoothed_along
from .draws import Draws


def contrast(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Values drawn towards the mean of their channel."""
    kept = (0.4, 0.3, 0.2, 0.1, 0.05)[severity - 1]
    means = images.mean((2, 3), keepdim=True)
    return (images - means) * kept + means


def elastic_transform(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Small pieces that are pushed about, by smooth noise."""
    strength = 250 * (0.05, 0.065, 0.085, 0.1, 0.12)[severity - 1]
    height, width = images.shape[2:]
    most = 0.005 * height
    noise = draws.uniform(-most, most, 2, height, width).to(images)
    sigmas = (0.01 * height, 0.01 * width)
    pushes = _smoothed_within(noise, sigmas) * strength
    rows, columns = torch.meshgrid(
        torch.arange(height, device=images.device), torch.arange(width, device=images.device), indexing="ij"
    )
    # The middles of pixels, in the units of grid_sample, where the picture reaches from -1 to 1.
    across = (columns + pushes[:, 0] + 0.5) * 2 / width - 1
    down = (rows + pushes[:, 1] + 0.5) * 2 / height - 1
    grid = torch.stack([across, down], -1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def pixelate(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Fewer pixels, each shown larger."""
    kept = (0.6, 0.5, 0.4, 0.3, 0.25)[severity - 1]

    def coarse(picture: Image.Image) -> Image.Image:
        small = picture.resize((int(picture.width * kept), int(picture.height * kept)), Image.Resampling.BOX)
        return small.resize(picture.size, Image.Resampling.NEAREST)

    return _each(images, coarse)


def jpeg_compression(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """A JPEG file of low quality."""
    quality = (25, 18, 15, 10, 7)[severity - 1]

    def compressed(picture: Image.Image) -> Image.Image:
        content = io.BytesIO()
        picture.save(content, "JPEG", quality=quality)
        return Image.open(content)

    return _each(images, compressed)


def _each(images: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    """What becomes of each of the pictures (N, 3, H, W) as Pillow has them."""
    changed = [torch.from_numpy(np.array(change(to_pil(image)).convert("RGB"))) for image in images]
    return torch.stack(changed).permute(0, 3, 1, 2).to(images) / 255


def _smoothed_within(noise: Tensor, sigmas: tuple[float, float]) -> Tensor:
    """Noise (N, 2, H, W) under a Gaussian that is cut at three of its sigmas; at the edges it sees its mirror."""
    for axis, sigma in zip((2, 3), sigmas, strict=True):
        far = int(3 * sigma + 0.5)
        start, end = noise.narrow(axis, 0, far), noise.narrow(axis, noise.shape[axis] - far, far)
        noise = smoothed_along(torch.cat([start.flip(axis), noise, end.flip(axis)], axis), sigma, far, axis)
    return noise
