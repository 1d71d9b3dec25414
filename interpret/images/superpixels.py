"""A picture divided into pieces of similar colour (SLIC, Achanta et al. 2012, https://doi.org/10.1109/TPAMI.2012.120)."""

import torch
from torch import Tensor

ROUNDS = 10  # of k-means


def superpixels(image: Tensor, count: int, *, compactness: float = 0.1) -> Tensor:
    """Divide a picture (C, H, W) into about ``count`` pieces, by k-means over place and colour.

    The pieces are numbered from 0, without gaps, in the (H, W) that it returns. The compactness says how much a
    distance of one piece's side weighs against a difference in colour.
    """
    height, width = image.shape[1:]
    side = (height * width / count) ** 0.5
    rows, columns = (torch.arange(length, device=image.device, dtype=image.dtype) for length in (height, width))
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")) / side * compactness
    points = torch.cat([grid, image]).flatten(1).T.contiguous()  # (pixels, 2 + C)
    down, across = max(1, round(height / side)), max(1, round(width / side))
    start_rows = ((torch.arange(down) + 0.5) * height / down).long()
    start_columns = ((torch.arange(across) + 0.5) * width / across).long()
    centres = points[(start_rows[:, None] * width + start_columns).flatten().to(image.device)]
    for _ in range(ROUNDS):
        nearest = torch.cdist(points, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        sizes = torch.bincount(nearest, minlength=len(centres))[:, None]
        centres = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres)
    return nearest.unique(return_inverse=True)[1].view(height, width)
