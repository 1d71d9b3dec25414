"""The layout of figures: panels in rows and columns, parts placed in inches, and bars of colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .colours import Scale, colour_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]  # left, bottom, width, height in inches

MARGIN, GAP, HEAD = 0.15, 0.06, 0.32  # inches: around a sheet of rows, between its panels, and for a row's title
LINE = 0.16  # the height in inches of a line of a caption
NARROWEST = 4.5  # the smallest width in inches of a sheet of rows, so that a title has room
AMBER = "#ffb000"  # the colour of frames, which stands out from most photos


@dataclass(frozen=True)
class Panel:
    """A picture with its texts."""

    picture: Any  # a Pillow picture, or an array (h, w, 3) in [0, 1]
    title: str = ""  # above it
    caption: str = ""  # below it
    frame: tuple[int, int, int, int] | None = None  # left, top, right, bottom of a frame in it, in its pixels
    interpolation: str | None = None  # of its pixels, by matplotlib's name; None leaves it to matplotlib


@dataclass(frozen=True)
class Row:
    """Panels beside each other, and a title above them."""

    panels: Sequence[Panel]
    title: str = ""


@dataclass(frozen=True)
class ColourBar:
    """What the colours of a whole figure mean."""

    scale: Scale
    label: str


class Sheet:
    """A figure whose parts are placed in inches from its lower left corner."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height))

    def axes(self, box: Box) -> Axes:
        """New axes in a box."""
        left, bottom, width, height = box
        return self.figure.add_axes((left / self.width, bottom / self.height, width / self.width, height / self.height))

    def write(self, left: float, bottom: float, text: str, **style: Any) -> None:
        """Write a text in a style given by matplotlib's names."""
        self.figure.text(left / self.width, bottom / self.height, text, **style)


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
        rows: rows of panels; a shorter row ends with empty places.
        size: width and height in inches.
        heights: the relative heights of the rows; equal by default.
        title: the style of titles, by matplotlib's names.
        caption: the style of captions, by the same.
        gap: between a picture and its caption, as a share of the picture's height.

    Returns:
        A matplotlib Figure that is not known to pyplot.
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


def row_figure(rows: Sequence[Row], *, width: float, title: str = "", bar: ColourBar | None = None) -> Figure:
    """A title, rows of panels of one width in inches, with arrays as pictures, and a bar of colours.

    Each picture is as large as fits, and has its caption below.
    """
    pictures = [panel.picture for row in rows for panel in row.panels]
    tallest = max((picture.shape[0] / picture.shape[1] for picture in pictures), default=1)
    height = width * min(max(tallest, 0.25), 1)
    across = max(max(len(row.panels) for row in rows) * (width + GAP) - GAP, NARROWEST)
    lines = title.count("\n") + 1
    above = 0.16 + 0.2 * lines if title else 0.0
    down = above + sum(_height(row, height) + GAP for row in rows) - GAP + (0.6 if bar else 0)
    sheet = Sheet(across + 2 * MARGIN, down + 2 * MARGIN)
    # One pair of axes in inches for all pictures, which is much faster than a pair for each of hundreds.
    axes = sheet.axes((0, 0, sheet.width, sheet.height))
    axes.set(xlim=(0, sheet.width), ylim=(sheet.height, 0))
    axes.set_axis_off()
    axes.text(MARGIN, MARGIN + 0.1 * lines, title, fontsize=11, va="center")
    top = MARGIN + above
    for row in rows:
        axes.text(MARGIN, top + 0.17, row.title, fontsize=10, va="center", weight="bold")
        for number, panel in enumerate(row.panels):
            corner = MARGIN + number * (width + GAP), top + (HEAD if row.title else 0)
            _place(axes, panel, corner, (width, height))
        top += _height(row, height) + GAP
    if bar:
        place = sheet.axes((MARGIN, 0.42, min(3.5, across), 0.1))
        colour_bar(sheet.figure, bar.scale, bar.label, every=64, cax=place, orientation="horizontal")
        place.xaxis.label.set_size(8)
        place.tick_params(labelsize=7)
    return sheet.figure


def _height(row: Row, height: float) -> float:
    lines = max((panel.caption.count("\n") + 1 if panel.caption else 0 for panel in row.panels), default=0)
    return height + lines * LINE + (HEAD if row.title else 0)


def _place(axes: Axes, panel: Panel, corner: tuple[float, float], size: tuple[float, float]) -> None:
    """Draw a picture as large as fits in the middle of a box of this size in inches, and its caption below the box."""
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
    """Draw a bar of a scale's colours, made from one in ``every`` of them, at a place for ``Figure.colorbar``."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    colours = LinearSegmentedColormap.from_list("map", colour_table(scale.signed)[::every])
    values = Normalize(scale.lowest, scale.limit or 1)
    figure.colorbar(ScalarMappable(values, colours), label=label, **place)
