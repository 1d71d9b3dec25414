"""Figures of drawings, the pictures made by optimisation: of units next to examples of a data set, and inversions."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ..images.files import to_pil
from ..units.top_activations import Crop
from .colours import colour_array
from .panels import Panel, Sheet, in_rows, panel_figure
from .plain_text import plain_text
from .units import cut_out

SIDE, GAP, TITLE = 2.6, 0.12, 0.42  # inches: a square, between squares, and for the titles of a row
MOSAIC, GROUT = 3, 0.04  # small pictures to a side of a square, and inches between them
WIDEST = 4  # squares in a row

Square = tuple[str, Sequence[Any]]  # a title of at most two lines; a picture, or up to nine small ones


@dataclass(frozen=True)
class DatasetExamples:
    """The crops of a data set that excite a unit most, to compare with the drawing made for it."""

    crops: Sequence[Crop]  # at most nine, strongest first; none where no picture excites the unit
    pictures: int  # in the data set
    reached: float  # the unit's activation for the drawing


@plain_text
def drawings_figure(
    drawings: Sequence[tuple[str, Tensor]], examples: Mapping[str, DatasetExamples], *, pairs: bool = False
) -> Image.Image | Figure:
    """Drawings under their expressions; a single drawing is a picture and no figure.

    Args:
        drawings: each expression, and the pictures (N, C, H, W) in [0, 1] drawn for it.
        examples: expression to the examples next to its drawings.
        pairs: whether every second expression is the opposite of the one before it.
    """
    groups = [_squares(text, images, examples.get(text)) for text, images in drawings]
    if len(groups) == len(groups[0]) == 1:
        return groups[0][0][1][0]
    if all(len(group) == 1 for group in groups):
        squares = [square for group in groups for square in group]
        return _sheet(in_rows(squares, _columns(len(squares), pairs)))
    return _sheet([row for group in groups for row in in_rows(group, len(group) if len(group) <= 6 else WIDEST)])


def _squares(text: str, images: Tensor, examples: DatasetExamples | None) -> list[Square]:
    """The drawings of one expression under one title, and the examples of its unit."""
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


def _sheet(rows: Sequence[Sequence[Square]]) -> Figure:
    heads = [TITLE if any(title for title, _ in row) else 0 for row in rows]
    sheet = Sheet(GAP + max(map(len, rows)) * (SIDE + GAP), sum(SIDE + head + GAP for head in heads) + GAP)
    bottom = sheet.height
    for row, head in zip(rows, heads, strict=True):
        bottom -= SIDE + head + GAP
        for number, (title, pictures) in enumerate(row):
            left = GAP + number * (SIDE + GAP)
            sheet.write(left, title, bottom=bottom + SIDE + 0.05, fontsize=9, va="bottom")
            side = 1 if len(pictures) == 1 else MOSAIC
            small = (SIDE - (side - 1) * GROUT) / side
            for place, picture in enumerate(pictures):
                down, across = divmod(place, side)
                low = bottom + (side - 1 - down) * (small + GROUT)
                axes = sheet.axes(left + across * (small + GROUT), (small, small), bottom=low)
                axes.imshow(picture)
                axes.set_axis_off()
    return sheet.figure


@plain_text
def inversion_figure(inversions: Sequence[tuple[str, Tensor]]) -> Figure:
    """A photo, and the pictures with the same features in some layers of a network.

    Args:
        inversions: captions, and pictures (1, 3, H, W) or (1, 1, H, W).
    """
    pictures = [(caption, colour_array(image.clamp(0, 1))) for caption, image in inversions]
    panels = [Panel(picture, caption=caption, interpolation="nearest") for caption, picture in pictures]
    rows = in_rows(panels, WIDEST)
    return panel_figure(rows, (SIDE * len(rows[0]), (SIDE + 0.5) * len(rows)))
