"""How the output of a layer is laid out, and the map (N, K, u, v) of channels and places that it holds."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from ..errors import NetworkError

Kind = Literal["map", "channels last", "tokens", "flat map"]
MOST_OTHERS = 16  # tokens beside those of places, such as those of the class and of registers


@dataclass(frozen=True)
class Layout:
    """How a layer lays out channels and places.

    ==============  =================================================================
    map             (N, K, u, v)
    channels last   (N, u, v, K)
    tokens          (N, T, K) or, ``sequence_first``, (T, N, K): a token a place, row by row, with others (of the class,
                    registers) before and after them
    flat map        (N, K, T), the places row by row
    ==============  =================================================================
    """

    kind: Kind
    grid: tuple[float, float] = (1, 1)  # rows and columns of places; for another input size in proportion
    before: int = 0  # tokens before those of places
    after: int = 0
    sequence_first: bool = False

    @property
    def has_others(self) -> bool:
        """Whether there are tokens beside those of places."""
        return self.before + self.after > 0

    def resized(self, down: float, across: float) -> "Layout":
        """The layout for an input whose height and width are so many times those it was found with."""
        return replace(self, grid=(self.grid[0] * down, self.grid[1] * across))

    def to_map(self, output: Tensor) -> Tensor:
        """The map (N, K, u, v) in an output, without tokens that are no places."""
        return self.map_of(self.channels_first(output))

    def from_map(self, maps: Tensor, output: Tensor) -> Tensor:
        """An output like the one given, with another map (N, K, u, v) in it."""
        if self.kind == "map":
            return maps
        if self.kind == "channels last":
            return maps.permute(0, 2, 3, 1)
        if self.kind == "flat map":
            return maps.flatten(2)
        tokens = output.transpose(0, 1) if self.sequence_first else output
        others = tokens[:, : self.before], tokens[:, tokens.shape[1] - self.after :]
        joined = torch.cat([others[0], maps.flatten(2).transpose(1, 2), others[1]], 1)
        return joined.transpose(0, 1) if self.sequence_first else joined

    def channels_first(self, output: Tensor) -> Tensor:
        """All of an output, also tokens that are no places, as (N, K, u, v) or (N, K, T)."""
        if self.kind != "tokens":
            return output.permute(0, 3, 1, 2) if self.kind == "channels last" else output
        return output.permute(1, 2, 0) if self.sequence_first else output.transpose(1, 2)

    def map_of(self, channels_first: Tensor) -> Tensor:
        """The map (N, K, u, v) in an output whose channels have been put first."""
        if self.kind in ("map", "channels last"):
            return channels_first
        places = channels_first[..., self.before : channels_first.shape[2] - self.after]  # a flat map has no others
        return places.unflatten(2, self._places(places.shape[2]))

    def _places(self, count: int) -> tuple[int, int]:
        """Rows and columns of so many places: those whose proportions come nearest to the grid's."""
        aspect = self.grid[0] / self.grid[1]
        rows = [rows for rows in range(1, count + 1) if count % rows == 0]
        best = min(rows, key=lambda height: abs(math.log(height * height / count / aspect)), default=0)
        if not best or abs(best - count**0.5 * aspect**0.5) > 1:
            raise NetworkError(f"{count} tokens do not fill rows and columns as a picture of this size has them")
        return best, count // best


def layout_of(
    shape: tuple[int, ...],
    pictures: int,
    aspect: float,
    *,
    grids: list[tuple[int, int]],
    others: dict[int, tuple[int, int]],
    channels_first: bool = False,
) -> Layout | str:
    """The layout of an output of some shape for so many pictures, or what is wrong with it, as the end of a sentence.

    ``aspect`` is the width of the network's input divided by its height, ``grids`` are the rows and columns of the maps
    before this layer, and ``others`` the numbers of tokens that are no places, before and after these, by the count of
    tokens in all. ``channels_first`` says that the kind of the module leaves no doubt.
    """
    if len(shape) == 4 and shape[0] == pictures:
        return Layout("map", shape[2:]) if channels_first else _layout_of_map(shape, aspect, others)
    if len(shape) == 3 and pictures in shape[:2]:
        return _layout_of_tokens(shape, shape[0] != pictures, aspect, grids, others)
    if len(shape) > 2 and shape[0] != pictures:
        return f"{shape[0]} for {pictures} pictures: not a map of shape (N, K, H, W) with one row for each picture"
    return "not a map of shape (N, K, H, W) or (N, H, W, K)"


def _layout_of_map(shape: tuple[int, ...], aspect: float, others: dict[int, tuple[int, int]]) -> Layout | str:
    _, first, middle, last = shape
    last_off, first_off = (abs(math.log(found / aspect)) for found in (middle / first, last / middle))
    if middle in others and (last == middle or min(last_off, first_off) > 0.3):
        return "which are tokens for each head of attention, not a map of shape (N, K, H, W)"
    # Of two readings that are nearly as likely, the one that PyTorch uses.
    if last_off + 0.1 < first_off:
        return Layout("channels last", (first, middle))
    return Layout("map", (middle, last))


def _layout_of_tokens(
    shape: tuple[int, ...],
    sequence_first: bool,
    aspect: float,
    grids: list[tuple[int, int]],
    others: dict[int, tuple[int, int]],
) -> Layout | str:
    count = shape[0] if sequence_first else shape[1]
    before, after = others.get(count, (0, 0))
    latest = grids[::-1]
    for grid in latest:
        if grid[0] * grid[1] == count - before - after:
            return Layout("tokens", grid, before, after, sequence_first=sequence_first)
    for grid in latest:
        if shape[2] == grid[0] * grid[1] and not sequence_first:
            return Layout("flat map", grid)
    for grid in latest:
        if 0 <= count - grid[0] * grid[1] <= MOST_OTHERS:
            return Layout("tokens", grid, count - grid[0] * grid[1], 0, sequence_first=sequence_first)
    grid = _grid_without_map(count - before - after, aspect, grids)
    if grid is not None:
        return Layout("tokens", grid, before, after, sequence_first=sequence_first)
    return "neither a map (N, K, H, W) nor a vector (N, K), nor tokens (N, T, K) of the places of a map before them"


def _grid_without_map(places: int, aspect: float, grids: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Rows and columns of tokens that no map before them has.

    Tokens are merged by halving the rows and columns of a map; of a network that cuts its patches without a
    convolution, they fill a grid with the proportions of the picture.
    """
    for rows, columns in grids[::-1]:
        while rows * columns > places:
            rows, columns = -(-rows // 2), -(-columns // 2)
        if rows * columns == places > 1:
            return rows, columns
    # Patches of side p leave whole rows of the height / p, and whole columns of the width / p.
    fitting = (r for r in range(2, places) if places % r == 0 and r * aspect - 1 < places // r < (r + 1) * aspect)
    rows = None if grids else next(fitting, None)
    return None if rows is None else (rows, places // rows)
