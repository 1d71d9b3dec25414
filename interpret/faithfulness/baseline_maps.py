"""Maps that know nothing of the network: what a metric must be compared with."""

import torch
from torch import Tensor

from ..explainers.passes import noise


def random_map(images: Tensor, seed: int = 0) -> Tensor:
    """(N, 1, H, W) of independent noise, the same for every image."""
    drawn = noise(images.shape[2:], seed, 0, images)
    return drawn.expand(len(images), 1, -1, -1)


def centred_gaussian(images: Tensor, width: float = 0.25) -> Tensor:
    """(N, 1, H, W): a hill in the middle, where photographers put things.

    Args:
        images: (N, C, H, W).
        width: its deviation as a share of each side.
    """
    rows, columns = (torch.linspace(-0.5, 0.5, size).to(images) for size in images.shape[2:])
    hill = torch.exp(-(rows[:, None] ** 2 + columns**2) / (2 * width**2))
    return hill.expand(len(images), 1, -1, -1)


FLOORS = {"random": random_map, "centre": centred_gaussian}
