"""A figure grid on paper: panels, labels and bars of colours at places in inches."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from .colours import colorize
from .display import _photo, _to_pil, heatmap, overlay, own_colours
from .grid_layout import Key, Lines, Place, values_of
from .grid_maps import Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE, GAP, EDGE, LABEL = 1.75, 0.06, 0.05, 1.0  # inches: a panel, between panels, around all, the rows' labels
POINTS, SMALL = 8.5, 6.5  # of letters, and where panels are narrow
TALLEST = 1.4  # times its width, a panel; what is taller is drawn smaller
SHARPEST = 640  # pixels of a panel's longer side: above 300 an inch


class Sheet:
    """The measures of one grid, in inches from the top left corner."""

    def __init__(self, lines: Lines, width: float | None, whole: bool) -> None:
        from matplotlib.figure import Figure

        self.lines, self.whole = lines, whole
        self.photos: dict[int, Any] = {}  # by the identity of their tensors, which the cells hold
        self.points = POINTS if width is None or width / lines.cols > 1.3 else SMALL
        self.label = self._label_width([text for label in lines.row_labels for text in label])
        self.side = SIDE if width is None else max(0.3, (width - self.label - 2 * EDGE + GAP) / lines.cols - GAP)
        self.line = self.points / 72 * 1.2
        self.heads = [self._heading(level) for level in lines.col_labels]
        self.under = {place: self.wrapped(text, self.side) for place, text in lines.captions.items()}
        self.heights = [self._height(row) for row in range(lines.rows)]
        self.feet = [self._foot(row) for row in range(lines.rows)]
        self.wide = 2 * EDGE + self.label + lines.cols * (self.side + GAP) - GAP
        tops = sum(self._rise(head) for head in self.heads)
        self.tall = 2 * EDGE + tops + sum(self.heights) + sum(self.feet) + GAP * (lines.rows - 1)
        self.figure = Figure(figsize=(self.wide, self.tall))

    def long(self, text: str) -> float:
        """The length of a line of text in inches."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import text_to_path

        return text_to_path.get_text_width_height_descent(text, FontProperties(size=self.points), False)[0] / 72

    def _label_width(self, texts: Sequence[str]) -> float:
        """Room for the rows' labels: the longest word, at least, has some."""
        words = [word for text in texts for word in text.split()]
        longest = max((min(self.long(text), LABEL) for text in texts), default=0.0)
        return min(max([longest, *map(self.long, words)]), 2 * LABEL) + 0.12 if texts else 0.0

    def wrapped(self, text: str, inches: float, most: int = 3) -> list[str]:
        long = self.long(text)
        if long <= inches:
            return [text] if text else []
        # A little less than the average letter allows, since wide ones may come together.
        letters = max(4, int(0.94 * len(text) * inches / long))
        return textwrap.wrap(text, letters, max_lines=most, placeholder=" …")

    def left(self, col: int) -> float:
        return EDGE + self.label + col * (self.side + GAP)

    def write(self, x: float, top: float, text: Sequence[str], side: str = "center") -> None:
        # Line by line, so that what stands side by side has one baseline.
        for number, line in enumerate(text):
            y = top + (number + 0.78) * self.line
            self.figure.text(x / self.wide, 1 - y / self.tall, line, size=self.points, ha=side, parse_math=False)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        place = x / self.wide, 1 - (y + height) / self.tall, width / self.wide, height / self.tall
        return self.figure.add_axes(place)

    def _heading(self, level: Sequence[Key]) -> list[tuple[int, int, list[str]]]:
        """Where each label begins, how many columns it spans, and its text."""
        found, start = [], 0
        for key, group in groupby(level):
            span = len(list(group))
            found.append((start, span, self.wrapped(key[-1], span * (self.side + GAP) - GAP)))
            start += span
        return found

    def _rise(self, head: Sequence[tuple[int, int, list[str]]]) -> float:
        return max(len(text) for *_, text in head) * self.line + 0.05

    def _height(self, row: int) -> float:
        cells = [cell for (at, _), cell in self.lines.cells.items() if at == row]
        shapes = [cell.geometry.picture if self.whole else cell.geometry.crop for cell in cells]
        return self.side * min(max((height / width for height, width in shapes), default=1.0), TALLEST)

    def _foot(self, row: int) -> float:
        """The room below a row's panels, for captions and bars."""
        places = [(row, col) for col in range(self.lines.cols)]
        room = max(self._caption(place) + (0.12 + self.line) * (place in self.lines.bars) for place in places)
        return room + 0.08 if room else 0.0

    def _caption(self, place: Place) -> float:
        return len(self.under.get(place, ())) * self.line

    def draw(self, view: str | None) -> Figure:
        """All of it."""
        y = EDGE
        for head in self.heads:
            y += self._rise(head)
            for start, span, text in head:
                middle = self.left(start) + (span * (self.side + GAP) - GAP) / 2
                self.write(middle, y - 0.03 - len(text) * self.line, text)
        for row, height in enumerate(self.heights):
            label = [part for text in self.lines.row_labels[row] for part in self.wrapped(text, self.label - 0.08, 4)]
            self.write(EDGE + self.label - 0.08, y + (height - len(label) * self.line) / 2, label, "right")
            for col in range(self.lines.cols):
                if (row, col) in self.lines.cells:
                    self._panel((row, col), y, height, view)
            y += height + self.feet[row] + GAP
        return self.figure

    def _panel(self, place: Place, y: float, height: float, view: str | None) -> None:
        x, foot = self.left(place[1]), y + height + 0.03
        limit, signed = self.lines.scales.get(place, (0.0, False))
        axes = self.axes(x, y, self.side, height)
        axes.set_axis_off()
        cell = self.lines.cells[place]
        if id(cell.image) not in self.photos:
            self.photos[id(cell.image)] = _photo_of(cell, self.whole)
        axes.imshow(_picture(cell, self.photos[id(cell.image)], limit, signed, view, self.whole))
        self.write(x + self.side / 2, foot, self.under.get(place, ()))
        if place in self.lines.bars:
            bar = self.axes(x + 0.1 * self.side, foot + self._caption(place) + 0.04, 0.8 * self.side, 0.07)
            _bar(bar, limit, signed, self.points)


def _photo_of(cell: Cell, whole: bool) -> Any:
    """The picture, no larger than a print can show: all of it, or what the network sees."""
    photo = _to_pil(_photo(cell.image))
    if not whole:
        photo = photo.crop([round(edge) for edge in cell.geometry.box])
    photo.thumbnail((SHARPEST, SHARPEST), 1)  # Lanczos
    return photo


def _picture(cell: Cell, photo: Any, limit: float, signed: bool, view: str | None, whole: bool) -> Any:
    if cell.attribution is None:
        return photo
    image = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None] / 255
    size, seen = tuple(image.shape[-2:]), None
    if whole:
        geometry = replace(cell.geometry, picture=size)
        values, seen = geometry.undo(values_of(cell)), geometry.seen()
    else:
        values = F.interpolate(values_of(cell), size, mode="bilinear")
    if values.shape[1] == 3:
        return own_colours(values, limit=limit, seen=seen)
    if (view or cell.drawing["view"]) == "heatmap":
        return heatmap(values, limit=limit, seen=seen, signed=signed)
    return overlay(image, values, limit=limit, seen=seen, signed=signed)


def _bar(axes: Axes, limit: float, signed: bool, points: float) -> None:
    low = -limit if signed else 0.0
    ramp = np.linspace(low, limit, 256)[None]
    axes.imshow(colorize(ramp, limit=limit, signed=signed), aspect="auto", extent=(low, limit or 1, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([low, limit or 1], [f"{low:.2g}", f"{limit:.2g}"])
    axes.tick_params(length=0, pad=1.5, labelsize=points - 1)
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
