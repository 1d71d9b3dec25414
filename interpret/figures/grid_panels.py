"""How a figure grid is drawn: its panels, labels and bars of colours, placed in inches."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from .colours import Scale, as_picture, colorize, colour_array
from .grid_layout import Key, Layout, Place
from .grid_maps import Cell
from .panels import Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE, GAP, EDGE, LABEL = 1.75, 0.06, 0.05, 1.0  # inches: of a panel, between panels, around all, of the rows' labels
POINTS, SMALL = 8.5, 6.5  # the size of letters, also where panels are narrow
TALLEST = 1.4  # the largest height of a panel over its width; a taller picture is drawn smaller
SHARPEST = 640  # pixels of a panel's longer side: more than 300 per inch
TICKS = 0.12  # the height in inches of a bar of colours, without its numbers

Heading = tuple[int, int, list[str]]  # the first column below it, how many columns it spans, its lines


class GridSheet:
    """A grid with the sizes and places of all its parts, in inches from the top left corner."""

    def __init__(self, layout: Layout, width: float | None, whole: bool) -> None:
        self.layout, self.whole = layout, whole
        self.photos: dict[int, Image.Image] = {}  # by the identity of their tensors, which the cells hold
        self.points = POINTS if width is None or width / layout.cols > 1.3 else SMALL
        self.line = self.points / 72 * 1.2
        self.label = self._label_width([text for label in layout.row_labels for text in label])
        self.side = SIDE if width is None else max(0.3, (width - self.label - 2 * EDGE + GAP) / layout.cols - GAP)
        self.headings = [self._headings(level) for level in layout.col_labels]
        self.captions = {place: self._wrapped(text, self.side) for place, text in layout.captions.items()}
        self.heights = [self._height(row) for row in range(layout.rows)]
        self.feet = [self._foot(row) for row in range(layout.rows)]
        tops = sum(self._rise(level) for level in self.headings)
        self.sheet = Sheet(
            2 * EDGE + self.label + layout.cols * (self.side + GAP) - GAP,
            2 * EDGE + tops + sum(self.heights) + sum(self.feet) + GAP * (layout.rows - 1),
        )

    def draw(self, view: str | None) -> Figure:
        """Draw the figure, with each method in its own view or all in this one."""
        top = EDGE
        for level in self.headings:
            top += self._rise(level)
            for start, span, lines in level:
                middle = self._left(start) + (span * (self.side + GAP) - GAP) / 2
                self._write(middle, top - 0.03 - len(lines) * self.line, lines)
        for row, height in enumerate(self.heights):
            lines = [line for text in self.layout.row_labels[row] for line in self._wrapped(text, self.label - 0.08, 4)]
            self._write(EDGE + self.label - 0.08, top + (height - len(lines) * self.line) / 2, lines, "right")
            for col in range(self.layout.cols):
                if (row, col) in self.layout.cells:
                    self._draw_panel((row, col), top, height, view)
            top += height + self.feet[row] + GAP
        return self.sheet.figure

    def _draw_panel(self, place: Place, top: float, height: float, view: str | None) -> None:
        left, foot = self._left(place[1]), top + height + 0.03
        scale = self.layout.scales.get(place, Scale(0.0, False))
        axes = self._axes(left, top, self.side, height)
        axes.set_axis_off()
        axes.imshow(self._picture(self.layout.cells[place], scale, view))
        self._write(left + self.side / 2, foot, self.captions.get(place, ()))
        if place in self.layout.bars:
            edge = foot + self._caption_height(place) + 0.04
            axes = self._axes(left + 0.1 * self.side, edge, 0.8 * self.side, 0.07)
            _draw_bar(axes, scale, self.points - 1)

    def _picture(self, cell: Cell, scale: Scale, view: str | None) -> Image.Image:
        """The picture of a cell, or its map, in the same number of pixels."""
        if id(cell.image) not in self.photos:
            self.photos[id(cell.image)] = _photo(cell, self.whole)
        photo = self.photos[id(cell.image)]
        if cell.attribution is None:
            return photo
        image = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None] / 255
        size, seen = tuple(image.shape[-2:]), None
        if self.whole:
            geometry = replace(cell.geometry, picture=size)
            values, seen = geometry.undo(cell.values()), geometry.seen()
        else:
            values = F.interpolate(cell.values(), size, mode="bilinear")
        display = replace(cell.display, view=view) if view else cell.display
        return display.draw(image, values, limit=scale.limit, signed=scale.signed, seen=seen)

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        return self.sheet.axes((left, self.sheet.height - (top + height), width, height))

    def _write(self, left: float, top: float, lines: Sequence[str], side: str = "center") -> None:
        # Line by line, so that texts beside each other have the same baselines.
        for number, line in enumerate(lines):
            base = top + (number + 0.78) * self.line
            self.sheet.write(left, self.sheet.height - base, line, size=self.points, ha=side, parse_math=False)

    def _length(self, text: str) -> float:
        """The length of a line of text in inches."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import text_to_path

        return text_to_path.get_text_width_height_descent(text, FontProperties(size=self.points), False)[0] / 72

    def _wrapped(self, text: str, inches: float, most: int = 3) -> list[str]:
        length = self._length(text)
        if length <= inches:
            return [text] if text else []
        # A little fewer than with letters of average width, since a line may have many wide ones.
        letters = max(4, int(0.94 * len(text) * inches / length))
        return textwrap.wrap(text, letters, max_lines=most, placeholder=" …")

    def _label_width(self, texts: Sequence[str]) -> float:
        """The width of the rows' labels, which has room at least for the longest word."""
        words = [word for text in texts for word in text.split()]
        longest = max((min(self._length(text), LABEL) for text in texts), default=0.0)
        return min(max([longest, *map(self._length, words)]), 2 * LABEL) + 0.12 if texts else 0.0

    def _left(self, col: int) -> float:
        return EDGE + self.label + col * (self.side + GAP)

    def _headings(self, level: Sequence[Key]) -> list[Heading]:
        found, start = [], 0
        for key, group in groupby(level):
            span = len(list(group))
            found.append((start, span, self._wrapped(key[-1], span * (self.side + GAP) - GAP)))
            start += span
        return found

    def _rise(self, level: Sequence[Heading]) -> float:
        """The height of a level of headings."""
        return max(len(lines) for *_, lines in level) * self.line + 0.05

    def _height(self, row: int) -> float:
        cells = [cell for (at, _), cell in self.layout.cells.items() if at == row]
        shapes = [cell.geometry.picture if self.whole else cell.geometry.crop for cell in cells]
        return self.side * min(max((height / width for height, width in shapes), default=1.0), TALLEST)

    def _foot(self, row: int) -> float:
        """The height of the captions and bars below a row of panels."""
        places = [(row, col) for col in range(self.layout.cols)]
        bar = TICKS + self.line
        room = max(self._caption_height(place) + bar * (place in self.layout.bars) for place in places)
        return room + 0.08 if room else 0.0

    def _caption_height(self, place: Place) -> float:
        return len(self.captions.get(place, ())) * self.line


def _photo(cell: Cell, whole: bool) -> Image.Image:
    """The whole picture, or the part that the network sees, in no more pixels than a print can show."""
    photo = as_picture(colour_array(cell.image))
    if not whole:
        photo = photo.crop([round(edge) for edge in cell.geometry.box])
    photo.thumbnail((SHARPEST, SHARPEST), Image.Resampling.LANCZOS)
    return photo


def _draw_bar(axes: Axes, scale: Scale, points: float) -> None:
    """A thin bar of colours with the values at its ends."""
    low, high = scale.lowest, scale.limit or 1
    ramp = np.linspace(low, scale.limit, 256)[None]
    axes.imshow(colorize(ramp, limit=scale.limit, signed=scale.signed), aspect="auto", extent=(low, high, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([low, high], [f"{low:.2g}", f"{scale.limit:.2g}"])
    axes.tick_params(length=0, pad=1.5, labelsize=points)
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
