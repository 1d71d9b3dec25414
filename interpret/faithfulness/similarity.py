"""How alike two maps are: Spearman's rank correlation, and SSIM."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..explainers.contract import ratio


def rank_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Spearman's rank correlation of each pair of maps; equal values share their mean rank.

    Args:
        first: (N, 1, H, W).
        second: (N, 1, H, W).

    Returns:
        (N,) from -1 to 1; 0 where a map is constant and has no order.
    """
    pairs = [_centred_ranks(maps.flatten(1)) for maps in (first, second)]
    sizes = [ranked.norm(dim=1) for ranked in pairs]
    return ratio((pairs[0] * pairs[1]).sum(1), sizes[0] * sizes[1])


def _centred_ranks(values: Tensor) -> Tensor:
    """(N, places) mean ranks less their mean, in double precision."""
    rows = []
    for row in values:
        _, inverse, counts = torch.unique(row, return_inverse=True, return_counts=True)
        ends = counts.cumsum(0).double()
        rows.append((ends - (counts - 1) / 2)[inverse])
    ranked = torch.stack(rows)
    return ranked - ranked.mean(1, keepdim=True)


def ssim(first: Tensor, second: Tensor, *, sigma: float = 1.5) -> Tensor:
    """The structural similarity of each pair of maps (Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861).

    Args:
        first: (N, 1, H, W) in [0, 1].
        second: (N, 1, H, W) in [0, 1].
        sigma: of the Gaussian window of 11 x 11 pixels, or less where the map is smaller.

    Returns:
        (N,), the mean over the places where the whole window fits; 1 for equal maps.
    """
    size = min(11, *(side - 1 + side % 2 for side in first.shape[2:]))
    places = torch.arange(size).to(first) - size // 2
    bell = torch.exp(-(places**2) / (2 * sigma**2))
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
    """(N, 1, H, W) sizes of the values, each map's largest 1; a map of zeros stays one."""
    sizes = maps.abs()
    return ratio(sizes, sizes.amax((2, 3), keepdim=True).expand_as(sizes))
