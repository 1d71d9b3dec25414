"""Figures of pictures made by optimisation: sheets of drawings, with the pictures of a data set beside them."""

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

SIDE, GAP, TITLE = 2.6, 0.12, 0.42  # inches: a square, between squares, and for the titles of a row
MOSAIC, GROUT = 3, 0.04  # small pictures to a side of a square, and inches between them
WIDEST = 4  # squares in a row

Square = tuple[str, Sequence[Any]]  # a title of at most two lines; a picture, or up to nine small ones


@dataclass(frozen=True)
class DatasetExamples:
    """What of a data set excites a unit most, to stand beside the drawing made for it."""

    crops: Sequence[Crop]  # at most nine, strongest first; none where no picture excites it
    pictures: int  # in the data set
    reached: float  # the activation that the drawing itself reaches


def drawing_figure(
    drawings: Sequence[tuple[str, Tensor]],
    examples: Mapping[str, DatasetExamples] | None = None,
    *,
    pairs: bool = False,
) -> Image.Image | Figure:
    """Drawings, each under what was drawn: a picture where there is one alone, else a figure.

    Args:
        drawings: an expression, and the pictures (N, C, H, W) in [0, 1] drawn for it.
        examples: expression -> what stands beside its pictures.
        pairs: whether every second expression is the opposite of the one before it.

    Returns:
        A Pillow picture, or a matplotlib Figure that is not known to pyplot.
    """
    groups = [_squares(text, images, (examples or {}).get(text)) for text, images in drawings]
    if len(groups) == len(groups[0]) == 1:
        return groups[0][0][1][0]
    if all(len(group) == 1 for group in groups):
        squares = [square for group in groups for square in group]
        return _sheet(_rows(squares, _columns(len(squares), pairs)))
    return _sheet([row for group in groups for row in _rows(group, len(group) if len(group) <= 6 else WIDEST)])


def _squares(text: str, images: Tensor, examples: DatasetExamples | None) -> list[Square]:
    """The squares of one expression, under one title, and the one of what excites its unit in a data set."""
    pictures = [to_pil(image.expand(-1, 3, -1, -1)) for image in images.split(1)]
    title = _cut(text, 2)
    if examples:
        title = f"{_cut(text, 1)}\n{'reaches' if len(pictures) == 1 else 'reach up to'} {examples.reached:.3g}"
    squares: list[Square] = [("" if number else title, [picture]) for number, picture in enumerate(pictures)]
    if examples:
        crops = examples.crops
        values = f"{crops[0].value:.3g} to {crops[-1].value:.3g}" if crops else "none is above 0"
        title = f"the strongest of {examples.pictures} pictures\n{values}"
        squares.append((title, [cut_out(crop) for crop in crops]))
    return squares


def _cut(text: str, lines: int) -> str:
    return "\n".join(textwrap.wrap(text, 38, max_lines=lines, placeholder=" …"))


def _columns(count: int, pairs: bool) -> int:
    """How many squares stand in a row, so that few places are empty and no pair is torn apart."""
    if count <= WIDEST:
        return count
    if pairs:
        return 4 if count % 4 == 0 else 2
    return 3 if count in (5, 6, 9) else 4


def _rows(squares: Sequence[Square], columns: int) -> list[Sequence[Square]]:
    return [squares[start : start + columns] for start in range(0, len(squares), columns)]


def _sheet(rows: Sequence[Sequence[Square]]) -> Figure:
    heads = [TITLE if any(title for title, _ in row) else 0 for row in rows]
    sheet = Sheet(GAP + max(map(len, rows)) * (SIDE + GAP), sum(SIDE + head + GAP for head in heads) + GAP)
    bottom = sheet.height
    for row, head in zip(rows, heads, strict=True):
        bottom -= SIDE + head + GAP
        for number, (title, pictures) in enumerate(row):
            left = GAP + number * (SIDE + GAP)
            sheet.write(left, bottom + SIDE + 0.05, title, fontsize=9, va="bottom")
            across = 1 if len(pictures) == 1 else MOSAIC
            small = (SIDE - (across - 1) * GROUT) / across
            for place, picture in enumerate(pictures):
                down, right = divmod(place, across)
                up = across - 1 - down
                axes = sheet.axes((left + right * (small + GROUT), bottom + up * (small + GROUT), small, small))
                axes.imshow(picture)
                axes.set_axis_off()
    return sheet.figure


def inversion_figure(inversions: Sequence[tuple[str, Tensor]]) -> Figure:
    """A photo and the pictures that layers of a network take for it, each with its words below.

    Args:
        inversions: words, and a picture (1, 3, H, W) or (1, 1, H, W).

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    columns = min(len(inversions), WIDEST)
    panels = [
        Panel(colour_array(image.clamp(0, 1)), caption=words, interpolation="nearest") for words, image in inversions
    ]
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    return panel_figure(rows, (SIDE * columns, (SIDE + 0.5) * len(rows)))
