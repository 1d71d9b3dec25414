"""Pictures in tiles, of which one at a time is in memory, and pictures at other sizes."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Tile:
    """A part of a picture that a network sees, and, inside a margin, the part of that which is the tile's own.

    Both are (top, left, bottom, right) in pixels of the picture. The own parts of all tiles cover each pixel once.
    """

    seen: tuple[int, int, int, int]
    own: tuple[int, int, int, int]

    def of(self, picture: Tensor) -> Tensor:
        """(N, C, h, w) the part that is seen of a picture (N, C, H, W)."""
        top, left, bottom, right = self.seen
        return picture[..., top:bottom, left:right]

    def own_part(self, maps: Tensor) -> Tensor:
        """The own part of maps (N, K, u, v), of any resolution, that a network made of the part that is seen."""
        top, left, bottom, right = self.seen
        down, across = maps.shape[-2] / (bottom - top), maps.shape[-1] / (right - left)
        rows = _between(self.own[0] - top, self.own[2] - top, down)
        columns = _between(self.own[1] - left, self.own[3] - left, across)
        return maps[..., rows, columns]


def _between(first: int, last: int, scale: float) -> slice:
    start = round(first * scale)
    return slice(start, max(round(last * scale), start + 1))


def tiles(height: int, width: int, side: int, margin: int) -> list[Tile]:
    """The tiles of a picture, row by row, each seen with sides of at most ``side`` pixels; a small picture is one tile.

    The margin is how far a tile is seen beyond its own part, except at the picture's edges.
    """
    rows, columns = _spans(height, side, margin), _spans(width, side, margin)
    return [
        Tile((row[0], column[0], row[1], column[1]), (row[2], column[2], row[3], column[3]))
        for row in rows
        for column in columns
    ]


def _spans(length: int, side: int, margin: int) -> list[tuple[int, int, int, int]]:
    """Where the tiles along one side begin and end, and where their own parts do."""
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
    """A picture (N, C, H, W) in [0, 1], scaled to a longer side of this length; None leaves it alone."""
    if longest is None:
        return image
    height, width = image.shape[-2:]
    scale = longest / max(height, width)
    return resized(image, max(1, round(height * scale)), max(1, round(width * scale)))


def with_detail(changed: Tensor, original: Tensor, height: int, width: int) -> Tensor:
    """A changed picture (N, C, h, w), enlarged, with the finer detail of the original (N, C, H, W) laid over it."""
    large = resized(original, height, width)
    lost = large - resized(resized(original, *changed.shape[-2:]), height, width)
    return (resized(changed, height, width) + lost).clamp(0, 1)
