"""Windows of images, each sample's own, and the bumps that Square draws in them for L2."""

import torch
from torch import Tensor


def sides(share: Tensor, maps: Tensor, bump: bool = False) -> tuple[Tensor, Tensor]:
    """(n, 1, 1, 1) heights and widths of windows that cover a share (n,) of (n, C, H, W); squares where they fit."""
    height, width = maps.shape[2:]
    area = share[:, None, None, None] * height * width
    side = area.sqrt().round().long().clamp_min(3 if bump else 1)
    side = side + (side % 2 == 0) if bump else side
    if min(height, width) >= int(side.max()):
        return side, side
    heights, widths = side.clamp_max(height), side.clamp_max(width)
    wider, higher = ((area / one).round().long() for one in (heights, widths))
    widths, heights = (
        torch.where(heights < side, wider.maximum(widths).clamp_max(width), widths),
        torch.where(widths < side, higher.maximum(heights).clamp_max(height), heights),
    )
    return heights, widths


def places(maps: Tensor, drawn: Tensor, heights: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (n, 1, H, 1) and columns (n, 1, 1, W), counted from the first ones of windows at random places (n, 2)."""
    counted = []
    for dim, sides in ((2, heights), (3, widths)):
        room = maps.shape[dim] - sides
        first = (drawn[:, dim - 2, None, None, None] * (room + 1)).long().minimum(room)
        shape = [1, 1, -1, 1] if dim == 2 else [1, 1, 1, -1]
        counted.append(torch.arange(maps.shape[dim], device=maps.device).view(shape) - first)
    return counted[0], counted[1]


def inside(rows: Tensor, columns: Tensor, heights: Tensor, widths: Tensor) -> Tensor:
    """(n, 1, H, W) booleans: which values lie in the windows; rows and columns are those of ``places``."""
    return (rows >= 0) & (rows < heights) & (columns >= 0) & (columns < widths)


def bumps(rows: Tensor, columns: Tensor, heights: Tensor, widths: Tensor, across: Tensor) -> Tensor:
    """(n, 1, H, W) in each window two halves of opposite sign, highest in their middles, of length 1 together.

    Rows and columns are those of ``places``; where ``across`` (n, 1, 1, 1) is true, the halves lie side by side.
    """
    # A bump side by side is one above the other with the sides swapped.
    along, aside = torch.where(across, columns, rows), torch.where(across, rows, columns)
    length, breadth = torch.where(across, widths, heights), torch.where(across, heights, widths)
    first = length // 2
    halves = _hill(along, aside, first, breadth) - _hill(along - first, aside, length - first, breadth)
    return halves / _length(halves)


def _hill(rows: Tensor, columns: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Squares stacked around the middle, the k-th 1/k**2 high, cut at the border (eq. 3 and figure 3)."""
    ring = torch.maximum((rows - height // 2).abs(), (columns - width // 2).abs())
    rings = torch.maximum(height, width) // 2 + 1
    sums = torch.arange(int(rings.max()) + 1, dtype=torch.float64, device=rows.device).clamp_min(1) ** -2
    sums[0] = 0
    sums = sums.cumsum(0)
    hill = (sums[rings] - sums[torch.minimum(ring, rings)]) * inside(rows, columns, height, width)
    return hill / _length(hill)


def _length(values: Tensor) -> Tensor:
    lengths = torch.linalg.vector_norm(values, dim=(2, 3), keepdim=True)
    return torch.where(lengths > 0, lengths, 1)
