"""The panels, labels and bars of colours of a figure grid, placed in inches."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from .colours import Scale, as_picture, colorize, colour_array
from .grid_layout import Key, Layout, Place
from .grid_maps import Cell
from .panels import Sheet

SIDE, GAP, EDGE, LABEL = 1.75, 0.06, 0.05, 1.0  # inches: a panel, between panels, around all, the rows' labels
POINTS, SMALL = 8.5, 6.5  # of letters, and where panels are narrow
TALLEST = 1.4  # times its width, a panel; what is taller is drawn smaller
SHARPEST = 640  # pixels of a panel's longer side: above 300 an inch
TICKS = 0.12  # inches that a bar takes above its numbers

Heading = tuple[int, int, list[str]]  # the first column below it, how many columns it spans, its lines


class GridFigure:
    """A grid with all its measures, in inches from the top left corner."""

    def __init__(self, layout: Layout, width: float | None, whole: bool) -> None:
        self.layout, self.whole = layout, whole
        self.photos: dict[int, Image.Image] = {}  # by the identity of their tensors, which the cells hold
        self.points = POINTS if width is None or width / layout.cols > 1.3 else SMALL
        self.line = self.points / 72 * 1.2
        self.label = self._label_width([text for label in layout.row_labels for text in label])
        self.side = SIDE if width is None else max(0.3, (width - self.label - 2 * EDGE + GAP) / layout.cols - GAP)
        self.headings = [self._headings(tier) for tier in layout.col_labels]
        self.captions = {place: self._wrapped(text, self.side) for place, text in layout.captions.items()}
        self.heights = [self._height(row) for row in range(layout.rows)]
        self.feet = [self._foot(row) for row in range(layout.rows)]
        tops = sum(self._rise(tier) for tier in self.headings)
        self.sheet = Sheet(
            2 * EDGE + self.label + layout.cols * (self.side + GAP) - GAP,
            2 * EDGE + tops + sum(self.heights) + sum(self.feet) + GAP * (layout.rows - 1),
        )

    def draw(self, view: str | None) -> Figure:
        """All of it, each method in its own view or all in one."""
        top = EDGE
        for tier in self.headings:
            top += self._rise(tier)
            for start, span, lines in tier:
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
        axes = self.sheet.axes(left, (self.side, height), top=top)
        axes.set_axis_off()
        axes.imshow(self._picture(self.layout.cells[place], scale, view))
        self._write(left + self.side / 2, foot, self.captions.get(place, ()))
        if place in self.layout.bars:
            edge = foot + self._caption_height(place) + 0.04
            bar = self.sheet.axes(left + 0.1 * self.side, (0.8 * self.side, 0.07), top=edge)
            _draw_bar(bar, scale, self.points - 1)

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

    def _write(self, left: float, top: float, lines: Sequence[str], side: str = "center") -> None:
        # Line by line, so that what stands side by side has one baseline.
        for number, line in enumerate(lines):
            base = top + (number + 0.78) * self.line
            self.sheet.write(left, line, top=base, size=self.points, ha=side, parse_math=False)

    def _length(self, text: str) -> float:
        """Of a line of text in inches."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import text_to_path

        return text_to_path.get_text_width_height_descent(text, FontProperties(size=self.points), False)[0] / 72

    def _wrapped(self, text: str, inches: float, most: int = 3) -> list[str]:
        length = self._length(text)
        if length <= inches:
            return [text] if text else []
        # A little less than the average letter allows, since wide ones may come together.
        letters = max(4, int(0.94 * len(text) * inches / length))
        return textwrap.wrap(text, letters, max_lines=most, placeholder=" …")

    def _label_width(self, texts: Sequence[str]) -> float:
        """Room for the rows' labels: the longest word, at least, has some."""
        words = [word for text in texts for word in text.split()]
        longest = max((min(self._length(text), LABEL) for text in texts), default=0.0)
        return min(max([longest, *map(self._length, words)]), 2 * LABEL) + 0.12 if texts else 0.0

    def _left(self, col: int) -> float:
        return EDGE + self.label + col * (self.side + GAP)

    def _headings(self, tier: Sequence[Key]) -> list[Heading]:
        headings, start = [], 0
        for key, group in groupby(tier):
            span = len(list(group))
            headings.append((start, span, self._wrapped(key[-1], span * (self.side + GAP) - GAP)))
            start += span
        return headings

    def _rise(self, tier: Sequence[Heading]) -> float:
        """The room that headings take above the columns."""
        return max(len(lines) for *_, lines in tier) * self.line + 0.05

    def _height(self, row: int) -> float:
        cells = [cell for (at, _), cell in self.layout.cells.items() if at == row]
        shapes = [cell.geometry.picture if self.whole else cell.geometry.crop for cell in cells]
        return self.side * min(max((height / width for height, width in shapes), default=1.0), TALLEST)

    def _foot(self, row: int) -> float:
        """The room below a row's panels, for captions and bars."""
        places = [(row, col) for col in range(self.layout.cols)]
        bar = TICKS + self.line
        room = max(self._caption_height(place) + bar * (place in self.layout.bars) for place in places)
        return room + 0.08 if room else 0.0

    def _caption_height(self, place: Place) -> float:
        return len(self.captions.get(place, ())) * self.line


def _photo(cell: Cell, whole: bool) -> Image.Image:
    """The picture, no larger than a print can show: all of it, or what the network sees."""
    photo = as_picture(colour_array(cell.image))
    if not whole:
        photo = photo.crop([round(edge) for edge in cell.geometry.box])
    photo.thumbnail((SHARPEST, SHARPEST), Image.Resampling.LANCZOS)
    return photo


def _draw_bar(axes: Axes, scale: Scale, points: float) -> None:
    """A thin bar of colours with the values of its ends."""
    low, high = scale.lowest, scale.limit or 1
    ramp = np.linspace(low, scale.limit, 256)[None]
    axes.imshow(colorize(ramp, limit=scale.limit, signed=scale.signed), aspect="auto", extent=(low, high, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([low, high], [f"{low:.2g}", f"{scale.limit:.2g}"])
    axes.tick_params(length=0, pad=1.5, labelsize=points)
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
