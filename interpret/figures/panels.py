"""How figures are laid out: panels in rows and columns, parts placed in inches, and bars of colours."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from .colours import Scale, colour_table
from .plain_text import plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches in a row figure: around it, between its panels, for the titles of a row, and for a line of its captions.
MARGIN, GAP, HEAD, LINE = 0.15, 0.06, 0.32, 0.16
NARROWEST = 4.5  # inches of a row figure, so that its title has room
AMBER = "#ffb000"  # of frames: it stands out from most photos
PIXELS, CAPTIONED = 150, 3.0  # of a captioned picture: to an inch, and inches of the narrowest
HAIR = 1 - 1e-9
SMALL, LARGE = 9, 6.0  # points of a caption's letters below a picture of up to so many inches


@dataclass(frozen=True)
class Panel:
    """A picture with a title and a caption."""

    picture: Any  # a Pillow picture, or an array (h, w, 3) in [0, 1]
    title: str = ""  # above it
    caption: str = ""  # below it
    frame: tuple[int, int, int, int] | None = None  # left, top, right, bottom of what is marked, in its pixels
    interpolation: str | None = None  # of its pixels, by matplotlib's name; None leaves it to matplotlib


class ColourBar(NamedTuple):
    """What the colours of a whole figure mean."""

    scale: Scale
    label: str


class Sheet:
    """An empty figure, whose parts are placed in inches from its left edge, and from its bottom or its top."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height))

    def axes(self, left: float, size: tuple[float, float], *, bottom: float = 0, top: float | None = None) -> Axes:
        """New axes, so many inches wide and high."""
        low = bottom / self.height if top is None else 1 - (top + size[1]) / self.height
        return self.figure.add_axes((left / self.width, low, size[0] / self.width, size[1] / self.height))

    def write(self, left: float, text: str, *, bottom: float = 0, top: float | None = None, **style: Any) -> None:
        """Write a text, whose style has matplotlib's names."""
        low = bottom / self.height if top is None else 1 - top / self.height
        self.figure.text(left / self.width, low, text, **style)


def text_length(text: str, points: float) -> float:
    """Of a line of text, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    return text_to_path.get_text_width_height_descent(text, FontProperties(size=points), False)[0] / 72


def wrapped(text: str, inches: float, points: float, *, most: int = 3) -> list[str]:
    """The lines of a text, at most so many, that are no longer than so many inches."""
    length = text_length(text, points)
    if length <= inches:
        return [text] if text else []
    # A little less than the average letter allows, since wide ones may come together.
    letters = max(4, int(0.94 * len(text) * inches / length))
    return textwrap.wrap(text, letters, max_lines=most, placeholder=" …")


@plain_text
def panel_figure(
    rows: Sequence[Sequence[Panel]],
    size: tuple[float, float],
    *,
    heights: Sequence[float] | None = None,
    title: Mapping[str, Any] | None = None,
    caption: Mapping[str, Any] | None = None,
    gap: float = 0.03,
) -> Figure:
    """Panels in rows and columns, as large as their titles and captions leave room for.

    Args:
        rows: of panels; shorter rows leave places empty.
        size: width and height in inches.
        heights: of the rows, relative to each other; equal by default.
        title: the style of titles, by matplotlib's names.
        caption: the style of captions.
        gap: between a picture and its caption, as a share of the picture's height.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    places = figure.subplots(len(rows), max(map(len, rows)), squeeze=False, height_ratios=heights)
    for axes in places.flat:
        axes.set_axis_off()
    for line, row in zip(places, rows, strict=True):
        for axes, panel in zip(line, row, strict=False):
            axes.imshow(panel.picture, interpolation=panel.interpolation)
            if panel.title:
                axes.set_title(panel.title, **(title or {"fontsize": 10}))
            if panel.caption:
                style = {"ha": "center", "va": "top", **(caption or {"fontsize": 10})}
                axes.text(0.5, -gap, panel.caption, transform=axes.transAxes, **style)
    return figure


def in_rows(panels: Sequence[Any], columns: int) -> list[Sequence[Any]]:
    """Panels in rows of so many, the last of which may be shorter; no panels make one empty row."""
    return [panels[start : start + columns] for start in range(0, len(panels), columns)] or [panels]


@plain_text
def row_figure(
    rows: Sequence[Sequence[Panel]], *, width: float, title: str = "", bar: ColourBar | None = None
) -> Figure:
    """Rows of panels of one width in inches, in which each picture, an array, is as large as possible."""
    pictures = [panel.picture for row in rows for panel in row]
    tallest = max((picture.shape[0] / picture.shape[1] for picture in pictures), default=1)
    height = width * min(max(tallest, 0.25), 1)
    across = max(max(map(len, rows)) * (width + GAP) - GAP, NARROWEST)
    lines = title.count("\n") + 1
    above = 0.16 + 0.2 * lines if title else 0.0
    down = above + sum(_height(row, height) + GAP for row in rows) - GAP + (0.6 if bar else 0)
    sheet = Sheet(across + 2 * MARGIN, down + 2 * MARGIN)
    # One pair of axes in inches for all pictures, which is much faster than a pair for each of hundreds.
    axes = sheet.axes(0, (sheet.width, sheet.height))
    axes.set(xlim=(0, sheet.width), ylim=(sheet.height, 0))
    axes.set_axis_off()
    axes.text(MARGIN, MARGIN + 0.1 * lines, title, fontsize=11, va="center")
    top = MARGIN + above
    for row in rows:
        for number, panel in enumerate(row):
            left = MARGIN + number * (width + GAP)
            axes.text(left, top + 0.17, panel.title, fontsize=10, va="center", weight="bold")
            _place(axes, panel, (left, top + _head(row)), (width, height))
        top += _height(row, height) + GAP
    if bar:
        place = sheet.axes(MARGIN, (min(3.5, across), 0.1), bottom=0.42)
        colour_bar(sheet.figure, bar.scale, bar.label, every=64, cax=place, orientation="horizontal")
        place.xaxis.label.set_size(8)
        place.tick_params(labelsize=7)
    return sheet.figure


def _head(row: Sequence[Panel]) -> float:
    return HEAD if any(panel.title for panel in row) else 0


def _height(row: Sequence[Panel], height: float) -> float:
    lines = max((panel.caption.count("\n") + 1 if panel.caption else 0 for panel in row), default=0)
    return height + lines * LINE + _head(row)


def _place(axes: Axes, panel: Panel, corner: tuple[float, float], size: tuple[float, float]) -> None:
    """Draw a picture in the middle of a place in inches, as large as possible, and its caption below that place."""
    from matplotlib.patches import Rectangle

    rows, columns = panel.picture.shape[:2]
    scale = min(size[0] / columns, size[1] / rows)
    left = corner[0] + (size[0] - columns * scale) / 2
    top = corner[1] + (size[1] - rows * scale) / 2
    extent = left, left + columns * scale, top + rows * scale, top
    axes.imshow(panel.picture, extent=extent, interpolation=panel.interpolation, aspect="auto", clip_on=False)
    if panel.frame:
        x0, y0, x1, y1 = (edge * scale for edge in panel.frame)
        for line, colour in ((2.6, "black"), (1.4, AMBER)):
            axes.add_patch(Rectangle((left + x0, top + y0), x1 - x0, y1 - y0, fill=False, lw=line, ec=colour))
    middle, below = left + columns * scale / 2, corner[1] + size[1] + 0.02
    axes.text(middle, below, panel.caption, fontsize=7, ha="center", va="top", linespacing=1.15)


def colour_bar(figure: Figure, scale: Scale, label: str, *, every: int = 1, **place: Any) -> None:
    """Draw a bar of the colours of a scale, or of one in ``every`` so many; the place is for ``Figure.colorbar``."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    colours = LinearSegmentedColormap.from_list("map", colour_table(scale.signed)[::every])
    values = Normalize(scale.lowest, scale.limit or 1)
    figure.colorbar(ScalarMappable(values, colours), label=label, **place)


@plain_text
def captioned(picture: Image.Image, lines: Sequence[str]) -> Figure:
    """A picture with lines below it, in its own pixels at 150 of them an inch, unless it is smaller than 3 inches.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    width = max(CAPTIONED, picture.width / PIXELS)
    points = SMALL * max(1, width / LARGE)
    step = points / 72 * 1.3
    texts = [text for line in lines for text in wrapped(line, width - 0.1, points)]
    height = width * picture.height / picture.width
    below = math.ceil(PIXELS * step * (len(texts) + 0.5)) / PIXELS  # so that the picture's rows are those of the file
    sheet = Sheet(width, height + below)
    # A hair smaller, for matplotlib before 3.10 draws a row more where rounding makes the height exceed the pixels.
    axes = sheet.axes(0, (width * HAIR, height * HAIR), top=0)
    axes.imshow(picture, aspect="auto", interpolation="nearest")
    axes.set_axis_off()
    for number, text in enumerate(texts, 1):
        sheet.write(0.05, text, top=height + step * number, size=points)
    return sheet.figure


def stamped(picture: Image.Image, text: str) -> Image.Image:
    """A picture with a short text in its lower left corner, in white on black; without it where it has no room."""
    size = max(10, min(picture.size) // 20)
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    margin = size // 3
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    if width > picture.width or height > picture.height / 2:
        return picture
    picture = picture.copy()
    draw, corner = ImageDraw.Draw(picture), picture.height - round(height)
    draw.rectangle((0, corner, round(width), picture.height), fill="black")
    draw.text((margin - left, corner + margin - top), text, fill="white", font=font)
    return picture
