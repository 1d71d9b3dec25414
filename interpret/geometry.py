"""From the pixels of a picture to the input grid of a network, and back."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor

from .errors import InterpretError, PictureError
from .strips import strips

LARGEST = 400  # how many times the crop a resized picture may cover, so that memory suffices
INTERPOLATIONS = ("bilinear", "bicubic", "nearest")
CROPS = ("centre", "none", "tiles")  # of a picture: its middle, all of it at once, or all of it in overlapping parts
OVERLAP = 0.25  # of neighbouring tiles, at least, as a share of their side
MOST_TILES = 64  # of one picture, since a network sees them all at once


@dataclass(frozen=True)
class Geometry:
    """Where a network's input grid lies on a picture.

    The picture is resized to ``resized``. Of that the network sees a part of the size ``crop``, which begins
    ``offset`` below and to the right of the upper left corner. All are (height, width).
    """

    picture: tuple[int, int]
    resized: tuple[int, int]
    offset: tuple[int, int]
    crop: tuple[int, int]
    interpolation: str = "bicubic"

    @property
    def whole(self) -> bool:
        """Whether the picture itself is the network's input."""
        return self.picture == self.resized == self.crop

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width that what the network sees is shown in: a picture that is seen whole keeps its own."""
        return self.picture if self.crop == self.resized else self.crop

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what the network sees, in pixels of the picture."""
        down, right = (self.picture[axis] / self.resized[axis] for axis in (0, 1))
        top, left = self.offset[0] * down, self.offset[1] * right
        return left, top, left + self.crop[1] * right, top + self.crop[0] * down

    def apply(self, images: Tensor) -> Tensor:
        """Resize and crop pictures (N, C, H, W) to inputs (N, C, h, w), differentiably and antialiased."""
        if self.whole:
            return images
        if self.resized != self.picture:
            images = self.resize(images, self.resized)
        top, left = self.offset
        return images[..., top : top + self.crop[0], left : left + self.crop[1]]

    def resize(self, images: Tensor, size: tuple[int, int]) -> Tensor:
        """Images (N, C, H, W) of another (height, width), by the geometry's interpolation."""
        return F.interpolate(images, size, mode=self.interpolation, antialias=self.interpolation != "nearest")

    def part_seen(self, maps: Tensor) -> Tensor:
        """The part of maps (..., H, W) whose pixels the network sees, (..., h, w): a view of them."""
        rows, columns = (axis.nonzero().flatten() for axis in self._lines_seen())
        if not len(rows) or not len(columns):
            return maps[..., :0, :0]
        return maps[..., int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]

    def seen(self) -> Tensor:
        """(H, W) booleans: whether the network sees the centre of each pixel of the picture."""
        rows, columns = self._lines_seen()
        return rows[:, None] & columns

    def _lines_seen(self) -> tuple[Tensor, Tensor]:
        """(H,) and (W,) booleans: whether the network sees the middle of each row and of each column."""
        left, top, right, bottom = self.box
        rows = torch.arange(self.picture[0]) + 0.5
        columns = torch.arange(self.picture[1]) + 0.5
        return (rows > top) & (rows < bottom), (columns > left) & (columns < right)

    def undo(self, maps: Tensor) -> Tensor:
        """Lay maps of any resolution, which cover the input, on the picture's pixels: bilinearly, in the same units.

        Pixels that the network does not see get 0.
        """
        if self.whole:
            if tuple(maps.shape[-2:]) == self.picture:
                return maps
            return F.interpolate(maps, self.picture, mode="bilinear")
        left, top, right, bottom = self.box
        # Where each pixel's centre lies in the box, from -1 at its left and top edges to 1.
        rows = ((torch.arange(self.picture[0]) + 0.5 - top) / (bottom - top) * 2 - 1).to(maps)
        columns = ((torch.arange(self.picture[1]) + 0.5 - left) / (right - left) * 2 - 1).to(maps)
        # Some rows at a time, since the places of all pixels take twice the memory of the result.
        seen, parts = self.seen(), list(strips(*self.picture))
        if len(parts) == 1:
            return _laid(maps, columns, rows, seen)
        laid = maps.new_empty(*maps.shape[:2], *self.picture)
        for part in parts:
            laid[:, :, part] = _laid(maps, columns, rows[part], seen[part])
        return laid

    def spread(self, attribution: Tensor) -> Tensor:
        """Distribute the value of each input pixel, (N, C, h, w), over the pixels of the picture it was made of.

        This is the adjoint of ``apply``: the gradient by the input becomes the gradient by the picture, and the sum
        of an attribution stays the same. Pixels that the network does not see get 0.
        """
        if self.whole:
            return attribution
        with torch.enable_grad():
            picture = attribution.new_zeros(*attribution.shape[:2], *self.picture, requires_grad=True)
            return torch.autograd.grad(self.apply(picture), picture, attribution, create_graph=True)[0]


@dataclass(frozen=True)
class Tiles:
    """Overlapping parts of the size of a network's input, which together cover a larger input grid.

    They lie evenly, in rows; those of one picture follow each other in a batch. Sizes are (height, width).
    """

    whole: tuple[int, int]
    size: tuple[int, int]

    @cached_property
    def corners(self) -> list[tuple[int, int]]:
        """Top and left of each tile."""
        return list(product(*(_starts(*lengths) for lengths in zip(self.whole, self.size, strict=True))))

    def cut(self, inputs: Tensor) -> Tensor:
        """The tiles (N * tiles, C, h, w) of inputs (N, C, *whole)."""
        height, width = self.size
        parts = [inputs[..., top : top + height, left : left + width] for top, left in self.corners]
        return torch.stack(parts, 1).flatten(0, 1)

    def mean(self, values: Tensor) -> Tensor:
        """The mean (N, ...) of what each picture's tiles gave, (N * tiles, ...)."""
        return values.unflatten(0, (-1, len(self.corners))).mean(1)

    def joined(self, maps: Tensor) -> Tensor:
        """Maps of tiles (N * tiles, C, u, v), of any resolution, laid together to (N, C, *whole), in the same units.

        Where tiles overlap the values are averaged, with weights that fall smoothly to zero at a tile's edges and
        add up to one: what all tiles agree on stays as it is.
        """
        if tuple(maps.shape[-2:]) != self.size:
            maps = F.interpolate(maps, self.size, mode="bilinear")
        maps = maps.unflatten(0, (-1, len(self.corners)))
        down, across = (_weights(*lengths) for lengths in zip(self.whole, self.size, strict=True))
        laid = maps.new_zeros(len(maps), *maps.shape[2:-2], *self.whole)
        for number, (top, left) in enumerate(self.corners):
            weights = (down[top][:, None] * across[left]).to(maps)
            laid[..., top : top + self.size[0], left : left + self.size[1]] += maps[:, number] * weights
        return laid


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of a side begin that cover a length evenly."""
    if length <= side:
        return [0]
    last = ceil((length - OVERLAP * side) / ((1 - OVERLAP) * side)) - 1
    return [round(number * (length - side) / last) for number in range(last + 1)]


def _weights(length: int, side: int) -> dict[int, Tensor]:
    """By where a tile begins, the weight of each of its lines (side,) in a mean over all tiles."""
    bell = torch.sin(torch.pi * (torch.arange(side, dtype=torch.float64) + 0.5) / side) ** 2
    total = torch.zeros(length, dtype=torch.float64)
    for start in _starts(length, side):
        total[start : start + side] += bell
    return {start: bell / total[start : start + side] for start in _starts(length, side)}


def tiles_over(whole: tuple[int, int], size: tuple[int, int]) -> Tiles | None:
    """The tiles of a size on an input grid; None where the grid is no larger than one."""
    tiles = Tiles(whole, (min(whole[0], size[0]), min(whole[1], size[1])))
    return tiles if len(tiles.corners) > 1 else None


def _laid(maps: Tensor, columns: Tensor, rows: Tensor, seen: Tensor) -> Tensor:
    """Some rows of maps (N, C, u, v), read at places from -1 to 1; 0 at pixels that are not seen."""
    places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1).expand(len(maps), -1, -1, -1)
    laid = F.grid_sample(maps, places, mode="bilinear", padding_mode="border", align_corners=False)
    return laid * seen.to(maps)


def fit(
    picture: tuple[int, int],
    input_size: tuple[int, int] | None,
    resize: int | None = None,
    interpolation: str = "bicubic",
    *,
    crop: str = "centre",
) -> Geometry:
    """The geometry of a resize, after which the shorter side has the length ``resize``, and of a centre crop.

    Sizes are (height, width). Without ``input_size`` the picture stays as it is; without ``resize`` it is made as
    small as the crop allows. With ``crop`` "none" the whole picture gets the size of the input, whatever its shape;
    with "tiles" it is resized as for a crop and stays whole, for `Tiles` of the input's size to lie on it.
    """
    height, width = picture
    if height < 1 or width < 1:
        raise InterpretError(f"a picture of {width} x {height} pixels has nothing to look at")
    if input_size is None:
        return Geometry(picture, picture, (0, 0), picture, interpolation)
    if crop == "none":
        return Geometry(picture, input_size, (0, 0), input_size, interpolation)
    resized = _resized(picture, input_size, resize)
    if resized[0] * resized[1] > LARGEST * input_size[0] * input_size[1]:
        raise PictureError(
            f"a picture of {width} x {height} pixels is too elongated: the network would see little of it; crop it"
        )
    if crop == "tiles":
        count = len(Tiles(resized, input_size).corners)
        if count > MOST_TILES:
            raise PictureError(f"a picture of {width} x {height} pixels is {count} tiles, above {MOST_TILES}; crop it")
        return Geometry(picture, resized, (0, 0), resized, interpolation)
    offset = tuple(round((resized[axis] - input_size[axis]) / 2) for axis in (0, 1))
    return Geometry(picture, resized, offset, input_size, interpolation)


def _resized(picture: tuple[int, int], input_size: tuple[int, int], resize: int | None) -> tuple[int, int]:
    height, width = picture
    if resize is None:
        scale = max(input_size[0] / height, input_size[1] / width)
        return max(input_size[0], round(height * scale)), max(input_size[1], round(width * scale))
    # Rounded as torchvision rounds, so that its networks see what they were measured on.
    short = min(height, width)
    return int(resize * height / short), int(resize * width / short)
