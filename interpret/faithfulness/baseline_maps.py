"""Baseline maps, which know nothing of the network: a method must beat them on a metric."""

import torch
from torch import Tensor

from ..explainers.passes import noise

WIDTH = 0.25  # the standard deviation of the centred hill, as a share of each side


def random_map(images: Tensor, seed: int = 0) -> Tensor:
    """(N, 1, H, W) independent noise in every pixel, the same for all images (N, C, H, W)."""
    drawn = noise(images.shape[2:], seed, 0, images)
    return drawn.expand(len(images), 1, -1, -1)


def centred_gaussian(images: Tensor, seed: int = 0) -> Tensor:
    """(N, 1, H, W) a hill in the middle of images (N, C, H, W), where photographers put things, whatever the seed."""
    rows, columns = (torch.linspace(-0.5, 0.5, size).to(images) for size in images.shape[2:])
    hill = torch.exp(-(rows[:, None] ** 2 + columns**2) / (2 * WIDTH**2))
    return hill.expand(len(images), 1, -1, -1)


BASELINE_MAPS = {"random": random_map, "centre": centred_gaussian}
