"""Large pictures piece by piece, in the memory of one piece; and pictures at other sizes."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Tile:
    """A piece of a picture with a margin around it: what is seen, and what of it is the piece's own.

    Both are (top, left, bottom, right) in pixels of the picture. The own parts of all the tiles
    cover the picture, each pixel once.
    """

    seen: tuple[int, int, int, int]
    own: tuple[int, int, int, int]

    def of(self, picture: Tensor) -> Tensor:
        """What is seen, (N, C, h, w) of a picture (N, C, H, W)."""
        top, left, bottom, right = self.seen
        return picture[..., top:bottom, left:right]

    def own_part(self, maps: Tensor) -> Tensor:
        """The own part of maps (N, K, u, v) of any resolution that a network made of what is seen."""
        top, left, bottom, right = self.seen
        down, across = maps.shape[-2] / (bottom - top), maps.shape[-1] / (right - left)
        rows = _between(self.own[0] - top, self.own[2] - top, down)
        columns = _between(self.own[1] - left, self.own[3] - left, across)
        return maps[..., rows, columns]


def _between(first: int, last: int, scale: float) -> slice:
    start = round(first * scale)
    return slice(start, max(round(last * scale), start + 1))


def tiles(height: int, width: int, side: int, margin: int) -> list[Tile]:
    """Cut a picture into tiles.

    Args:
        height: of the picture.
        width: of the picture.
        side: the most that a tile sees; a picture that is no larger is one tile.
        margin: how far a tile sees beyond its own part, except at the picture's edges.

    Returns:
        The tiles, row by row.
    """
    rows, columns = _spans(height, side, margin), _spans(width, side, margin)
    return [
        Tile((up[0], across[0], up[1], across[1]), (up[2], across[2], up[3], across[3]))
        for up in rows
        for across in columns
    ]


def _spans(length: int, side: int, margin: int) -> list[tuple[int, int, int, int]]:
    """Where the tiles along one side begin and end, and their own parts."""
    if length <= side:
        return [(0, length, 0, length)]
    step = max(side - 2 * margin, 1)
    return [
        (max(start - margin, 0), min(start + step + margin, length), start, min(start + step, length))
        for start in range(0, length, step)
    ]


def resized(image: Tensor, height: int, width: int) -> Tensor:
    """A picture (N, C, H, W) in [0, 1] at another size, bicubic and antialiased."""
    if tuple(image.shape[-2:]) == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bicubic", antialias=True).clamp(0, 1)


def fitted(image: Tensor, longest: int | None) -> Tensor:
    """A picture (N, C, H, W) in [0, 1], scaled so that its longer side is as asked; None leaves it alone."""
    if longest is None:
        return image
    height, width = image.shape[-2:]
    scale = longest / max(height, width)
    return resized(image, max(1, round(height * scale)), max(1, round(width * scale)))


def with_detail(changed: Tensor, original: Tensor, height: int, width: int) -> Tensor:
    """A changed picture at a larger size, with the detail there that its own size could not hold.

    Args:
        changed: (N, C, h, w) in [0, 1], made from the original at its size.
        original: (N, C, H, W) in [0, 1].
        height: of the result.
        width: of the result.

    Returns:
        (N, C, height, width) in [0, 1].
    """
    large = resized(original, height, width)
    lost = large - resized(resized(original, *changed.shape[-2:]), height, width)
    return (resized(changed, height, width) + lost).clamp(0, 1)
