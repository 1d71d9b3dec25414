"""Noisy linear imputation (Rong et al. 2022, https://arxiv.org/abs/2202.00449)."""

import torch
import torch.nn.functional as F
from torch import Tensor

# A removed pixel is the weighted mean of its eight neighbours (section 4.2).
WEIGHTS = [[1 / 12, 1 / 6, 1 / 12], [1 / 6, 0.0, 1 / 6], [1 / 12, 1 / 6, 1 / 12]]
TOLERANCE = 5e-4  # the largest residual that is left; a level of an 8-bit file is 4e-3
MAX_STEPS = 500


def imputed(images: Tensor, removed: Tensor, *, tolerance: float = TOLERANCE) -> Tensor:
    """Images (N, C, H, W) whose removed pixels (N, 1, H, W) are each the weighted mean of their neighbours.

    Each image is a sparse symmetric system, which is solved by conjugate gradients. At the border, the weights of the
    neighbours that exist are divided by their sum.
    """
    hole = removed.to(images)
    total = _neighbours(torch.ones_like(images[:1, :1]))

    def system(values: Tensor) -> Tensor:
        return hole * (total * values - _neighbours(values))

    filled = torch.where(removed, _pyramid(images, 1 - hole), images)
    residual = -system(filled)  # the known pixels, which are in `filled` too, make up the right-hand side
    direction, size = residual, _dot(residual, residual)
    for _ in range(MAX_STEPS):
        if float(residual.abs().amax()) <= tolerance:
            break
        change = system(direction)
        length = size / _dot(direction, change).clamp_min(torch.finfo(images.dtype).tiny)
        filled = filled + length * direction
        residual = residual - length * change
        before, size = size, _dot(residual, residual)
        direction = residual + size / before.clamp_min(torch.finfo(images.dtype).tiny) * direction
    return filled


def _neighbours(values: Tensor) -> Tensor:
    """The weighted sum of each pixel's neighbours inside the image."""
    kernel = values.new_tensor(WEIGHTS)[None, None]
    return F.conv2d(values.flatten(0, 1)[:, None], kernel, padding=1).view_as(values)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first * second).sum((2, 3), keepdim=True)


def _pyramid(images: Tensor, known: Tensor) -> Tensor:
    """A first guess at the unknown pixels: the mean of the known ones in the smallest neighbourhood that has any."""
    if min(images.shape[2:]) == 1 or bool((known > 0).all()):
        return torch.where(known > 0, images, (images * known).mean((2, 3), keepdim=True))
    share = F.avg_pool2d(known, 2, ceil_mode=True)
    coarse = F.avg_pool2d(images * known, 2, ceil_mode=True) / share.clamp_min(1e-6)
    below = _pyramid(coarse, (share > 0).to(images))
    return torch.where(known > 0, images, F.interpolate(below, images.shape[2:], mode="bilinear"))
