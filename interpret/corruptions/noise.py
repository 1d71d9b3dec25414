"""Noise: what sensors and transmissions add (Hendrycks and Dietterich 2019, appendix B)."""

import torch
from torch import Tensor

from .draws import Draws


def gaussian_noise(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Normal noise, as in low light."""
    deviation = (0.08, 0.12, 0.18, 0.26, 0.38)[severity - 1]
    return images + deviation * draws.normal(*images.shape[1:]).to(images)


def shot_noise(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Poisson noise, of light that comes in few quanta."""
    quanta = (60, 25, 12, 5, 3)[severity - 1]
    return draws.poisson(images * quanta).to(images) / quanta


def impulse_noise(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Values that are lost: 0 or 1, whatever they were."""
    share = (0.03, 0.06, 0.09, 0.17, 0.27)[severity - 1]
    lost = draws.uniform(0, 1, *images.shape[1:]).to(images) <= share
    instead = (draws.uniform(0, 1, *images.shape[1:]).to(images) <= 0.5).to(images)
    return torch.where(lost, instead, images)
