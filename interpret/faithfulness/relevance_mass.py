"""Relevance mass accuracy (Arras et al. 2022, https://arxiv.org/abs/2003.07258)."""

import torch
from torch import Tensor

from ..datasets.boxes import check_regions
from ..explainers.contract import ratio


def relevance_mass(attribution: Tensor, regions: Tensor) -> Tensor:
    """The share of a map's positive values that lies on the object.

    A map that knows nothing reaches the share of the picture that the object covers.

    Args:
        attribution: (N, 1, H, W).
        regions: (N, H, W) booleans, where the object is.

    Returns:
        (N,) in [0, 1], higher is better; 0 where nothing is positive, NaN where there is no object.
    """
    check_regions(attribution, regions)
    positive = attribution[:, 0].clamp(min=0)
    mass = ratio((positive * regions).sum((1, 2)), positive.sum((1, 2)))
    return torch.where(regions.flatten(1).any(1), mass, torch.nan)
