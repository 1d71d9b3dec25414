"""The panels, labels and bars of colours of a figure grid, placed in inches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from string import ascii_lowercase

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from PIL import Image

from ..explainers import unit_of
from .colours import Colours, Scale, as_picture, colour_array
from .grid_layout import Key, Layout, Place
from .grid_maps import Cell
from .overlays import GREY, bar_colours, largest_of
from .panels import Sheet, text_length, wrapped

SIDE, GAP, EDGE, LABEL = 1.75, 0.06, 0.1, 1.0  # inches: a panel, between panels, around all, the rows' labels
POINTS, SMALL = 8.5, 6.5  # of letters, and where panels are narrow
TALLEST = 1.4  # times its width, a panel; what is taller is drawn smaller
SHARPEST = 640  # pixels of a panel's longer side: above 300 an inch
BAR, TICKS = 0.1, 0.16  # inches: a bar of colours, and its numbers

Heading = tuple[int, int, list[str]]  # the first column below it, how many columns it spans, its lines


@dataclass(frozen=True)
class GridLook:
    """How a grid looks, whatever stands in it."""

    view: str | None = None  # of every map; None is each method's own
    whole: bool = False  # all of each picture, not only what the network sees
    width: float | None = None  # in inches
    caption: bool = True  # the largest value below each map
    letters: bool = False  # a, b, c in the panels
    colours: Colours = Colours()


class GridFigure:
    """A grid, or a part of one, with all its measures in inches."""

    def __init__(self, layout: Layout, look: GridLook) -> None:
        self.layout, self.look, self.whole, width = layout, look, look.whole, look.width
        self.photos: dict[int, Image.Image] = {}  # by the identity of their tensors, which the cells hold
        self.points = POINTS if width is None or width / layout.cols > 1.3 else SMALL
        self.line = self.points / 72 * 1.2
        self.label = self._label_width([text for label in layout.row_labels for text in label])
        self.side = SIDE if width is None else max(0.3, (width - self.label - 2 * EDGE + GAP) / layout.cols - GAP)
        self.headings = [self._headings(tier) for tier in layout.col_labels]
        self.captions = {place: lines for place in layout.cells if (lines := self._caption(place))}
        self.units = {place: self._wrapped(_unit(layout.cells[place]), self.side, 2) for place in layout.bars}
        self.heights = [self._height(row) for row in range(layout.rows)]
        self.feet = [self._foot(row) for row in range(layout.rows)]
        tops = sum(self._rise(tier) for tier in self.headings)
        self.size = (
            2 * EDGE + self.label + layout.cols * (self.side + GAP) - GAP,
            2 * EDGE + tops + sum(self.heights) + sum(self.feet) + GAP * (layout.rows - 1),
        )

    def draw(self, sheet: Sheet, left: float, top: float, letters: Iterator[str]) -> None:
        """Draw all of it on a sheet, from a corner in inches."""
        self.sheet, self.corner = sheet, left
        top += EDGE
        for tier in self.headings:
            top += self._rise(tier)
            for start, span, lines in tier:
                middle = self._left(start) + (span * (self.side + GAP) - GAP) / 2
                self._write(middle, top - 0.03 - len(lines) * self.line, lines)
        tops = []
        for row, height in enumerate(self.heights):
            lines = [line for text in self.layout.row_labels[row] for line in self._wrapped(text, self.label - 0.08, 4)]
            self._write(self._left(0) - 0.08, top + (height - len(lines) * self.line) / 2, lines, "right")
            tops.append(top)
            top += height + self.feet[row] + GAP
        for row, col in sorted(self.layout.cells):
            if span := self._span(row, col):
                # A picture stands once, in the middle of the rows that it is the same in.
                middle = (tops[row] + tops[row + span - 1] + self.heights[row + span - 1]) / 2
                self._draw_panel((row, col), middle - self.heights[row] / 2, self.heights[row], next(letters, ""))

    def _span(self, row: int, col: int) -> int:
        """How many rows show the same picture from here on; 0 where it stands above already."""
        cells = [self.layout.cells.get((other, col)) for other in range(row, self.layout.rows)]
        if cells[0].attribution is not None:
            return 1
        if self.layout.cells.get((row - 1, col)) is cells[0]:
            return 0
        return next((span for span, cell in enumerate(cells) if cell is not cells[0]), len(cells))

    def _draw_panel(self, place: Place, top: float, height: float, letter: str) -> None:
        left, foot = self._left(place[1]), top + height + 0.03
        cell, scale = self.layout.cells[place], self.layout.scales.get(place, Scale(0.0, False))
        axes = self.sheet.axes(left, (self.side, height), top=top)
        axes.set_axis_off()
        axes.imshow(self._picture(cell, scale))
        if letter:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
            axes.annotate(letter, (0, 1), (3, -3), "axes fraction", "offset points", va="top", weight="bold", bbox=box)
        self._write(left + self.side / 2, foot, self.captions.get(place, ()))
        if place in self.layout.bars:
            edge = foot + self._caption_height(place) + 0.04
            bar = self.sheet.axes(left + 0.1 * self.side, (0.8 * self.side, BAR), top=edge)
            over = (self.look.view or cell.display.view) == "overlay"
            greys = _greys(np.asarray(self.photos[id(cell.image)])) if over else None
            _draw_bar(bar, scale, bar_colours(scale, self.look.colours, greys), self.points - 1)
            self._write(left + self.side / 2, edge + BAR + TICKS + 0.03, self.units[place])

    def _picture(self, cell: Cell, scale: Scale) -> Image.Image:
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
        display = replace(cell.display, view=self.look.view or cell.display.view, **self.look.colours._asdict())
        return display.draw(image, values, limit=scale.limit, signed=scale.signed, seen=seen)

    def _write(self, left: float, top: float, lines: Sequence[str], side: str = "center") -> None:
        # Line by line, so that what stands side by side has one baseline.
        for number, line in enumerate(lines):
            base = top + (number + 0.78) * self.line
            self.sheet.write(left, line, top=base, size=self.points, ha=side, parse_math=False)

    def _wrapped(self, text: str, inches: float, most: int = 3) -> list[str]:
        return wrapped(text, inches, self.points, most=most)

    def _caption(self, place: Place) -> list[str]:
        """The lines below a panel: its class, what is wrong with its map, and its largest value."""
        cell, lines = self.layout.cells[place], self._wrapped(self.layout.captions.get(place, ""), self.side)
        if not self.look.caption or cell.attribution is None or cell.diagnosis:
            return lines
        return [*lines, *self._wrapped(f"largest {largest_of(cell.sharp_values()):.3g}", self.side)]

    def _label_width(self, texts: Sequence[str]) -> float:
        """Room for the rows' labels: the longest word, at least, has some."""
        words = [word for text in texts for word in text.split()]
        longest = max((min(text_length(text, self.points), LABEL) for text in texts), default=0.0)
        return (
            min(max([longest, *(text_length(word, self.points) for word in words)]), 2 * LABEL) + 0.12 if texts else 0.0
        )

    def _left(self, col: int) -> float:
        return self.corner + EDGE + self.label + col * (self.side + GAP)

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
        shapes = [cell.geometry.picture if self.whole else cell.geometry.shape for cell in cells]
        return self.side * min(max((height / width for height, width in shapes), default=1.0), TALLEST)

    def _foot(self, row: int) -> float:
        """The room below a row's panels, for captions and bars."""
        places = [(row, col) for col in range(self.layout.cols)]
        room = max(
            self._caption_height(place)
            + (BAR + TICKS + len(self.units[place]) * self.line if place in self.layout.bars else 0)
            for place in places
        )
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


def _greys(photo: np.ndarray) -> tuple[float, float]:
    """The darkest and the lightest grey of a picture (H, W, 3) of 8 bits."""
    grey = photo @ GREY / 255
    return float(grey.min()), float(grey.max())


def _unit(cell: Cell) -> str:
    return unit_of(cell.place["methods"], "logit")


def letters_of() -> Iterator[str]:
    """a to z, then aa to az and so on."""
    return ("".join(pair) for pair in product(["", *ascii_lowercase], ascii_lowercase))


def _draw_bar(axes: Axes, scale: Scale, colours: np.ndarray, points: float) -> None:
    """A thin bar of colours (256, k, 3) with the values of its ends, and of zero between them."""
    low, high = scale.lowest, scale.limit or 1
    axes.imshow(colours.clip(0, 1).swapaxes(0, 1), aspect="auto", extent=(low, high, 0, 1))
    axes.set_yticks([])
    ticks = [low, 0, high] if low < 0 else [low, high]
    axes.set_xticks(ticks, [f"{value:.3g}" for value in (*ticks[:-1], scale.limit)])
    axes.tick_params(length=0, pad=1.5, labelsize=points)
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
