"""Figures of drawings, with pictures of a data set beside them, and of inversions."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image
from torch import Tensor

from ..images.files import to_pil
from ..units.top_activations import Crop
from .colours import colour_array
from .panels import Panel, Sheet, panel_figure
from .units import cut_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE, GAP, TITLE = 2.6, 0.12, 0.42  # inches: of a square, between squares, and for the titles of a row
SMALL_COLUMNS, SMALL_GAP = 3, 0.04  # small pictures along a side of a square, and inches between them
MAX_COLUMNS = 4  # squares in a row

Square = tuple[str, Sequence[Any]]  # a title of at most two lines; a picture, or up to nine small ones


@dataclass(frozen=True)
class DatasetExamples:
    """The crops of a data set that excite a unit most, which stand beside the drawing for the unit."""

    crops: Sequence[Crop]  # at most nine, strongest first; none where no picture excites the unit
    pictures: int  # how many the data set has
    reached: float  # the activation that the drawing itself reaches


def drawing_figure(
    drawings: Sequence[tuple[str, Tensor]],
    examples: Mapping[str, DatasetExamples] | None = None,
    *,
    pairs: bool = False,
) -> Image.Image | Figure:
    """Drawings under the expressions they were made for.

    Args:
        drawings: expressions, and the pictures (N, C, H, W) in [0, 1] drawn for them.
        examples: expression to what stands beside its pictures.
        pairs: whether every second expression is the opposite of the one before it.

    Returns:
        The Pillow picture where there is only one, else a matplotlib Figure that is not known to pyplot.
    """
    groups = [_squares(text, images, (examples or {}).get(text)) for text, images in drawings]
    if len(groups) == len(groups[0]) == 1:
        return groups[0][0][1][0]
    if all(len(group) == 1 for group in groups):
        squares = [square for group in groups for square in group]
        return _sheet(_rows(squares, _columns(len(squares), pairs)))
    return _sheet([row for group in groups for row in _rows(group, len(group) if len(group) <= 6 else MAX_COLUMNS)])


def _squares(text: str, images: Tensor, examples: DatasetExamples | None) -> list[Square]:
    """The squares of one expression: its pictures under one title, and perhaps the examples of a data set."""
    pictures = [to_pil(image.expand(-1, 3, -1, -1)) for image in images.split(1)]
    title = _shortened(text, 2)
    if examples:
        title = f"{_shortened(text, 1)}\n{'reaches' if len(pictures) == 1 else 'reach up to'} {examples.reached:.3g}"
    squares: list[Square] = [("" if number else title, [picture]) for number, picture in enumerate(pictures)]
    if examples:
        crops = examples.crops
        values = f"{crops[0].value:.3g} to {crops[-1].value:.3g}" if crops else "none is above 0"
        title = f"the strongest of {examples.pictures} pictures\n{values}"
        squares.append((title, [cut_out(crop) for crop in crops]))
    return squares


def _shortened(text: str, lines: int) -> str:
    return "\n".join(textwrap.wrap(text, 38, max_lines=lines, placeholder=" …"))


def _columns(count: int, pairs: bool) -> int:
    """How many squares stand in a row, such that few places are empty and pairs stay together."""
    if count <= MAX_COLUMNS:
        return count
    if pairs:
        return 4 if count % 4 == 0 else 2
    return 3 if count in (5, 6, 9) else 4


def _rows(parts: Sequence[Any], columns: int) -> list[Sequence[Any]]:
    return [parts[start : start + columns] for start in range(0, len(parts), columns)]


def _sheet(rows: Sequence[Sequence[Square]]) -> Figure:
    heads = [TITLE if any(title for title, _ in row) else 0 for row in rows]
    sheet = Sheet(GAP + max(map(len, rows)) * (SIDE + GAP), sum(SIDE + head + GAP for head in heads) + GAP)
    bottom = sheet.height
    for row, head in zip(rows, heads, strict=True):
        bottom -= SIDE + head + GAP
        for number, (title, pictures) in enumerate(row):
            left = GAP + number * (SIDE + GAP)
            sheet.write(left, bottom + SIDE + 0.05, title, fontsize=9, va="bottom")
            across = 1 if len(pictures) == 1 else SMALL_COLUMNS
            small = (SIDE - (across - 1) * SMALL_GAP) / across
            for place, picture in enumerate(pictures):
                down, right = divmod(place, across)
                up = across - 1 - down
                axes = sheet.axes((left + right * (small + SMALL_GAP), bottom + up * (small + SMALL_GAP), small, small))
                axes.imshow(picture)
                axes.set_axis_off()
    return sheet.figure


def inversion_figure(inversions: Sequence[tuple[str, Tensor]]) -> Figure:
    """A photo and its inversions from several layers, each above its caption.

    Args:
        inversions: captions, and pictures (1, 3, H, W) or (1, 1, H, W), which are cut at 0 and 1.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    columns = min(len(inversions), MAX_COLUMNS)
    panels = [
        Panel(colour_array(image.clamp(0, 1)), caption=caption, interpolation="nearest")
        for caption, image in inversions
    ]
    rows = _rows(panels, columns)
    return panel_figure(rows, (SIDE * columns, (SIDE + 0.5) * len(rows)))
