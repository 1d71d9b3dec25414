"""The pointing game (Zhang et al. 2016, https://arxiv.org/abs/1608.00507)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..datasets.boxes import check_regions


def pointing_game(attribution: Tensor, regions: Tensor, *, tolerance: int = 0) -> Tensor:
    """Whether the highest pixel of a map lies on the object.

    Args:
        attribution: (N, 1, H, W).
        regions: (N, H, W) booleans, where the object is.
        tolerance: how many pixels beside the object count as on it (15 in the paper, in the picture's own pixels).

    Returns:
        (N,) 1 where it does, 0 where not, higher is better. Where several pixels are highest, the share of them that
        do; NaN where there is no object.
    """
    check_regions(attribution, regions)
    reach = F.max_pool2d(regions[:, None].to(attribution), 2 * tolerance + 1, stride=1, padding=tolerance)
    peaks = (attribution == attribution.amax((2, 3), keepdim=True)).to(attribution)
    hits: Tensor = (peaks * reach).sum((1, 2, 3)) / peaks.sum((1, 2, 3)).clamp(min=1)
    return torch.where(regions.flatten(1).any(1), hits, torch.nan)
