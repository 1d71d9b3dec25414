"""Windows of images, a size and a place for each sample, and the bumps that Square draws in them for L2."""

import torch
from torch import Tensor


def sides(parts: Tensor, maps: Tensor, bump: bool = False) -> tuple[Tensor, Tensor]:
    """(n, 1, 1, 1) heights and widths of windows that are a share (n,) of (n, C, H, W); squares where they fit."""
    height, width = maps.shape[2:]
    area = parts[:, None, None, None] * height * width
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
    """The rows (n, 1, H, 1) and columns (n, 1, 1, W) counted from those of windows in random places (n, 2)."""
    counted = []
    for dim, sides in ((2, heights), (3, widths)):
        room = maps.shape[dim] - sides
        first = (drawn[:, dim - 2, None, None, None] * (room + 1)).long().minimum(room)
        shape = [1, 1, -1, 1] if dim == 2 else [1, 1, 1, -1]
        counted.append(torch.arange(maps.shape[dim], device=maps.device).view(shape) - first)
    return counted[0], counted[1]


def inside(rows: Tensor, columns: Tensor, heights: Tensor, widths: Tensor) -> Tensor:
    """(n, 1, H, W) booleans: which values lie in windows, by their places counted from the windows' first."""
    return (rows >= 0) & (rows < heights) & (columns >= 0) & (columns < widths)


def bumps(rows: Tensor, columns: Tensor, heights: Tensor, widths: Tensor, across: Tensor) -> Tensor:
    """Two halves of opposite sign, each highest in its middle, of length 1 together.

    Args:
        rows: (n, 1, H, 1) of each value, counted from the window's first; below 0 and from its height on outside.
        columns: (n, 1, 1, W) likewise.
        heights: (n, 1, 1, 1) of the windows.
        widths: (n, 1, 1, 1) of the windows.
        across: (n, 1, 1, 1) booleans: whether the halves lie side by side, not one above the other.

    Returns:
        (n, 1, H, W), 0 outside the windows.
    """
    # A bump side by side is one above the other with the sides swapped.
    along, beside = torch.where(across, columns, rows), torch.where(across, rows, columns)
    length, breadth = torch.where(across, widths, heights), torch.where(across, heights, widths)
    first = length // 2
    halves = _hill(along, beside, first, breadth) - _hill(along - first, beside, length - first, breadth)
    return halves / _length(halves)


def _hill(rows: Tensor, columns: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Squares around the middle laid on one another, the k-th 1/k**2 high, cut at the border (eq. 3 and figure 3)."""
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
