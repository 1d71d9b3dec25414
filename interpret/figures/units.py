"""Sheets of small pictures: filters, activation maps, and the crops that excite a unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image
from torch import Tensor

from ..units.top_activations import Crop
from .colours import colorize
from .display import limit_of, own_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Scale = Literal["each", "shared"]

MARK = "#ffb000"  # of what a unit sees in the whole picture; amber stands out from most photos
DEEPEST = 48  # channels that are drawn of a filter with many
LABEL = 0.16  # inches, of one line under a cell


@dataclass(frozen=True)
class Cell:
    """One small picture of a sheet."""

    picture: np.ndarray  # (h, w, 3), in [0, 1]
    label: str = ""  # one or two lines
    box: tuple[int, int, int, int] | None = None  # left, top, right, bottom in its pixels, drawn as a frame
    smooth: bool = False  # a photo, not values of which each shall be seen


@dataclass(frozen=True)
class Row:
    """Cells beside each other."""

    cells: Sequence[Cell]
    title: str = ""  # above it


@dataclass(frozen=True)
class Bar:
    """What the colours of a sheet mean."""

    limit: float
    signed: bool
    label: str


def filters_figure(filters: Tensor, *, names: Sequence[str] = (), scale: Scale = "each", title: str = "") -> Figure:
    """Filters as pictures: in colour around mid grey where they see three channels, else in blue and red around white.

    Args:
        filters: (K, C, h, w). With another number of channels than 1 and 3, each filter is a row of
            C pictures, of which the first ``DEEPEST`` are drawn.
        names: one a filter, such as those of classes; their numbers by default.
        scale: the weight that gets the strongest colour: each filter's own largest, or one for all.
        title: above all.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    names = names or [str(number) for number in range(len(filters))]
    common = limit_of(filters)
    channels = filters.shape[1]

    def drawn(weights: Tensor, limit: float) -> np.ndarray:
        if channels == 3:
            return np.asarray(own_colours(weights[None], limit=limit)) / 255
        return colorize(weights[0].float().cpu().numpy(), limit=limit, signed=True)

    rows = []
    for name, weights in zip(names, filters, strict=True):
        limit = common if scale == "shared" else limit_of(weights)
        if channels in (1, 3):
            rows.append([Cell(drawn(weights, limit), name)])
        else:
            rows.append(
                [Cell(drawn(one[None], limit), name if i == 0 else "") for i, one in enumerate(weights[:DEEPEST])]
            )
    bar = None
    if channels != 3:
        bar = Bar(common, True, "weight") if scale == "shared" else Bar(1, True, "weight / the filter's largest")
    if channels not in (1, 3):
        return _sheet([Row(cells) for cells in rows], title, bar, width=min(0.9, 11 / min(channels, DEEPEST)))
    cells = [cell for row in rows for cell in row]
    width = 1.3 if names and max(map(len, names)) > 6 else 0.8
    return _sheet(_wrapped(cells, int(10 / width)), title, bar, width=width)


def activations_figure(
    maps: Tensor, *, image: Tensor | None = None, most: int = 64, scale: Scale = "each", title: str = ""
) -> Figure:
    """The maps of a layer for one picture, the one with the largest maximum first, each with its channel's number.

    Maps that are zero everywhere are left out.

    Args:
        maps: (1, K, u, v).
        image: (1, 3, H, W) in [0, 1], what the network saw, drawn first.
        most: how many maps.
        scale: the value that gets the strongest colour: each map's own largest, or one for all.
        title: above all.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    order = strongest_maps(maps)[:most]
    shown = maps[0, order].float().cpu()
    signed, common = bool((shown < 0).any()), limit_of(shown) if len(order) else 0.0
    cells = [] if image is None else [Cell(_photo(image), "input", smooth=True)]
    for channel, values in zip(order, shown, strict=True):
        limit = common if scale == "shared" else limit_of(values)
        label = f"{channel}: {float(values.max()):.3g}"
        cells.append(Cell(colorize(values.numpy(), limit=limit, signed=signed), label))
    own = "activation / the map's largest"
    bar = Bar(common, signed, "activation") if scale == "shared" else Bar(1, signed, own)
    columns = min(10, max(4, round((1.3 * len(cells)) ** 0.5)))
    return _sheet(_wrapped(cells, columns), title, bar, width=1.05)


def strongest_maps(maps: Tensor) -> list[int]:
    """The channels of (1, K, u, v) that are not zero everywhere, the one with the largest maximum first."""
    values = maps[0].flatten(1)
    # Where an activation has a cap, many maxima are equal, and the means tell them apart.
    order = values.mean(1).argsort(descending=True, stable=True)
    order = order[values.max(1).values[order].argsort(descending=True, stable=True)]
    alive = (maps[0] != 0).flatten(1).any(1)
    return order[alive[order]].tolist()


def crops_figure(units: dict[int, Sequence[Crop]], *, title: str = "") -> Figure:
    """The crops that excite units most, each above its whole picture and above the pattern in it that does.

    Args:
        units: the channel's number -> its crops, strongest first.
        title: above all.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    rows = []
    for channel, crops in units.items():
        labels = [f"{crop.value:.3g}\n{_shortened(crop.path.stem)}" for crop in crops]
        pictures = [_photo(crop.image) for crop in crops]
        found = zip(crops, pictures, labels, strict=True)
        rows.append(
            Row([Cell(_cut(whole, crop.box), "", smooth=True) for crop, whole, _ in found], f"channel {channel}")
        )
        if all(crop.projection is not None for crop in crops):
            rows.append(Row([Cell(_pattern(crop), smooth=True) for crop in crops]))
        found = zip(crops, pictures, labels, strict=True)
        rows.append(Row([_thumbnail(whole, crop.box, label) for crop, whole, label in found]))
    return _sheet(rows, title, None, width=1.3)


def _photo(image: Tensor) -> np.ndarray:
    values = image.detach().float().cpu()[0].clamp(0, 1).permute(1, 2, 0).numpy()
    return np.repeat(values, 3, 2) if values.shape[2] == 1 else values


def _cut(picture: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    left, top, right, bottom = box
    return picture[top:bottom, left:right]


def _pattern(crop: Crop) -> np.ndarray:
    left, top, right, bottom = crop.box
    pattern = crop.projection[..., top:bottom, left:right]
    return np.asarray(own_colours(pattern, limit=limit_of(pattern, percentile=99.5))) / 255


def _thumbnail(picture: np.ndarray, box: tuple[int, int, int, int], label: str) -> Cell:
    """The picture at most 320 pixels long, so that a sheet of large photos stays small."""
    factor = min(1, 320 / max(picture.shape[:2]))
    size = tuple(max(1, round(side * factor)) for side in picture.shape[1::-1])
    small = Image.fromarray((picture * 255).round().astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    return Cell(np.asarray(small) / 255, label, tuple(round(edge * factor) for edge in box), smooth=True)


def _shortened(name: str, most: int = 18) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _wrapped(cells: Sequence[Cell], columns: int) -> list[Row]:
    return [Row(cells[start : start + columns]) for start in range(0, len(cells), columns)] or [Row([])]


def _sheet(rows: Sequence[Row], title: str, bar: Bar | None, *, width: float) -> Figure:
    """Rows of cells of one width in inches, each cell's picture as large as it fits, its label under it."""
    from matplotlib.figure import Figure

    tallest = max((cell.picture.shape[0] / cell.picture.shape[1] for row in rows for cell in row.cells), default=1)
    height = width * min(max(tallest, 0.25), 1)
    margin, gap = 0.15, 0.06
    across = max(max(len(row.cells) for row in rows) * (width + gap) - gap, 4.5)
    lines = title.count("\n") + 1
    above = 0.16 + 0.2 * lines if title else 0.0
    down = above + sum(_height(row, height) + gap for row in rows) - gap + (0.6 if bar else 0)
    whole = across + 2 * margin, down + 2 * margin
    figure = Figure(figsize=whole)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, whole[0])
    axes.set_ylim(whole[1], 0)
    axes.set_axis_off()
    if title:
        axes.text(margin, margin + 0.1 * lines, title, fontsize=11, va="center")
    top = margin + above
    for row in rows:
        if row.title:
            axes.text(margin, top + 0.17, row.title, fontsize=10, va="center", weight="bold")
        for number, cell in enumerate(row.cells):
            left = margin + number * (width + gap)
            _draw(axes, cell, left, top + (0.32 if row.title else 0), width, height)
        top += _height(row, height) + gap
    if bar:
        _draw_bar(figure, bar, (margin / whole[0], 0.42 / whole[1], min(3.5, across) / whole[0], 0.1 / whole[1]))
    return figure


def _height(row: Row, height: float) -> float:
    lines = max((cell.label.count("\n") + 1 if cell.label else 0 for cell in row.cells), default=0)
    return height + lines * LABEL + (0.32 if row.title else 0)


def _draw(axes: Axes, cell: Cell, left: float, top: float, width: float, height: float) -> None:
    from matplotlib.patches import Rectangle

    rows, columns = cell.picture.shape[:2]
    scale = min(width / columns, height / rows)
    left += (width - columns * scale) / 2
    edge = top + (height - rows * scale) / 2
    how = "antialiased" if cell.smooth else "nearest"
    extent = left, left + columns * scale, edge + rows * scale, edge
    axes.imshow(cell.picture, extent=extent, interpolation=how, aspect="auto", clip_on=False)
    if cell.box:
        x0, y0, x1, y1 = cell.box
        corner, size = (left + x0 * scale, edge + y0 * scale), ((x1 - x0) * scale, (y1 - y0) * scale)
        for line, colour in ((2.6, "black"), (1.4, MARK)):
            axes.add_patch(Rectangle(corner, *size, fill=False, lw=line, ec=colour))
    if cell.label:
        middle = left + columns * scale / 2
        axes.text(middle, top + height + 0.02, cell.label, fontsize=7, ha="center", va="top", linespacing=1.15)


def _draw_bar(figure: Figure, bar: Bar, place: tuple[float, float, float, float]) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    steps = np.linspace(-1 if bar.signed else 0, 1, 65)[None]
    colours = LinearSegmentedColormap.from_list("sheet", colorize(steps, limit=1, signed=bar.signed)[0])
    scale = Normalize(-bar.limit if bar.signed else 0, bar.limit or 1)
    drawn = figure.colorbar(ScalarMappable(scale, colours), cax=figure.add_axes(place), orientation="horizontal")
    drawn.set_label(bar.label, fontsize=8)
    drawn.ax.tick_params(labelsize=7)
