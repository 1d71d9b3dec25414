"""Images seen from elsewhere: turned, shifted, larger or at an angle."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.norms import batch_view
from ..errors import AttackError


def warped(images: Tensor, places: list[list[Tensor]]) -> Tensor:
    """Views (N, C, H, W) of images of that shape; outside, an image continues as its own reflection.

    The places are two or three rows of three (N,) numbers. They map a place (across, down, 1) of the view, in half
    sides from the middle, to the place of the image that is seen there; a third row divides.
    """
    check_spatial(images)
    return F.grid_sample(images, sampling_grid(places, images), padding_mode="reflection", align_corners=False)


def sampling_grid(places: list[list[Tensor]], like: Tensor) -> Tensor:
    """(N, H, W, 2) the places, across and down, that the pixels of views as large as ``like`` show; see ``warped``."""
    height, width = like.shape[-2:]
    across, down = ((torch.arange(side).to(like) * 2 + 1) / side - 1 for side in (width, height))
    column = like[:, 0]
    rows = [
        batch_view(a, column) * across + batch_view(b, column) * down[:, None] + batch_view(c, column)
        for a, b, c in places
    ]
    return torch.stack([row / rows[2] if len(rows) == 3 else row for row in rows[:2]], -1)


def corners_moved(moves: Tensor) -> list[list[Tensor]]:
    """The rows that ``warped`` takes, for views whose corners have moved.

    The moves (N, 4, 2), across and down in half sides, run clockwise from the upper left corner.
    """
    corners = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]], dtype=moves.dtype, device=moves.device)
    across, down = (corners[:, axis].expand(len(moves), 4) for axis in (0, 1))
    one, zero = torch.ones_like(across), torch.zeros_like(across)
    to_right, to_bottom = (corners + moves).unbind(-1)
    # Two equations a corner: place * (g * across + h * down + 1) = a * across + b * down + c.
    equations = [
        torch.stack([across, down, one, zero, zero, zero, -across * to_right, -down * to_right], -1),
        torch.stack([zero, zero, zero, across, down, one, -across * to_bottom, -down * to_bottom], -1),
    ]
    found = torch.linalg.solve(torch.cat(equations, 1), torch.cat([to_right, to_bottom], 1))
    a, b, c, d, e, f, g, h = found.unbind(1)
    return [[a, b, c], [d, e, f], [g, h, torch.ones_like(g)]]


def check_spatial(images: Tensor) -> None:
    """Refuse images that are not (N, C, H, W)."""
    if images.dim() != 4:
        raise AttackError(f"this transform takes pictures (N, C, H, W), not {tuple(images.shape)}")
