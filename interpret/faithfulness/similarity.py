"""How alike two maps are: Spearman's rank correlation, and SSIM."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..explainers.contract import ratio

WINDOW, SIGMA = 11, 1.5  # pixels: the side of SSIM's Gaussian window, smaller for smaller maps, and its deviation


def rank_correlation(first: Tensor, second: Tensor) -> Tensor:
    """(N,) Spearman's rank correlation of maps (N, 1, H, W), pair by pair; 0 where a map is constant.

    Equal values share their mean rank.
    """
    pairs = [_centred_ranks(maps.flatten(1)) for maps in (first, second)]
    sizes = [ranked.norm(dim=1) for ranked in pairs]
    return ratio((pairs[0] * pairs[1]).sum(1), sizes[0] * sizes[1])


def _centred_ranks(values: Tensor) -> Tensor:
    """(N, pixels) the ranks of values (N, pixels), minus their mean, in double precision."""
    rows = []
    for row in values:
        _, inverse, counts = torch.unique(row, return_inverse=True, return_counts=True)
        ends = counts.cumsum(0).double()
        rows.append((ends - (counts - 1) / 2)[inverse])
    ranked = torch.stack(rows)
    return ranked - ranked.mean(1, keepdim=True)


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """(N,) the structural similarity of maps (N, 1, H, W) in [0, 1], pair by pair; 1 for equal maps.

    It is a mean over the places where the whole window fits (Wang et al. 2004,
    https://doi.org/10.1109/TIP.2003.819861).
    """
    size = min(WINDOW, *(side - 1 + side % 2 for side in first.shape[2:]))
    places = torch.arange(size).to(first) - size // 2
    bell = torch.exp(-(places**2) / (2 * SIGMA**2))
    window = torch.outer(bell, bell)[None, None] / bell.sum() ** 2

    def mean(values: Tensor) -> Tensor:
        return F.conv2d(values, window)

    a, b = mean(first), mean(second)
    spread_a, spread_b = mean(first**2) - a**2, mean(second**2) - b**2
    together = mean(first * second) - a * b
    small, smaller = 0.01**2, 0.03**2
    alike = (2 * a * b + small) * (2 * together + smaller)
    return (alike / ((a**2 + b**2 + small) * (spread_a + spread_b + smaller))).mean((1, 2, 3))


def scaled(maps: Tensor) -> Tensor:
    """(N, 1, H, W) the absolute values of maps, each divided by its largest one; a map of zeros stays as it is."""
    sizes = maps.abs()
    return ratio(sizes, sizes.amax((2, 3), keepdim=True).expand_as(sizes))
