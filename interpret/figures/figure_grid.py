"""A grid of maps for a paper: any of pictures, networks, attacks, classes, layers and methods in rows and columns."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ..classifier import Classifier
from ..images.files import read
from ..progress import progress_bar
from .cache import MapStore
from .colours import OPACITY, colours_of
from .grid_layout import Layout, arrange, check_layout
from .grid_maps import AttackFunction, Cell, GridContents, cells_of
from .grid_panels import GridFigure, GridLook, letters_of
from .panels import Sheet
from .plain_text import plain_text

Picture = str | os.PathLike | Image.Image | np.ndarray | Tensor


@plain_text
def grid(
    classifiers: Classifier | Mapping[str, Classifier],
    images: Tensor | Mapping[str, Tensor] | Picture | Sequence[Picture],
    *,
    methods: Sequence[str] = ("gradcam",),
    classes: Sequence[str | int] = (),
    top_k: int = 1,
    layers: Sequence[str] = (),
    attacks: Mapping[str, AttackFunction] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    rows: Sequence[str] | None = None,
    cols: Sequence[str] | None = None,
    scale: str = "each",
    view: str | None = None,
    picture: bool = True,
    whole: bool = False,
    width: float | None = None,
    caption: bool = True,
    letters: bool = False,
    colormap: str | Sequence[str] = (),
    opacity: float = OPACITY,
    cache: str | os.PathLike | None = None,
) -> Figure:
    """Maps of several methods, classes, layers, networks, attacks and pictures side by side.

    Args:
        classifiers: one, or several by name.
        images: (N, 3, H, W) in [0, 1], several (1, 3, H, W) by name, or a list of such, of files, samples or whatever
            else `read` takes, one picture each.
        methods: names of the table of explainers.
        classes: names, groups or indices; of a group, the member that a picture scores highest. By
            default what the network predicts.
        top_k: explain so many of the top predictions, where no classes are named.
        layers: for the methods that look at one; their default layer otherwise.
        attacks: name to a function of classifier, images and labels that gives images. Its pictures
            stand beside the clean ones, and what is predicted for them is explained.
        options: method to its own options.
        rows: what goes down: any of "images", "models", "attacks", "classes", "layers", "methods",
            the outermost first. By default whatever varies but the methods.
        cols: what goes across; by default what ``rows`` leaves over.
        scale: whose largest value gets the strongest colour: "each" map's own; or one that the maps of
            a method share within a "row" or "col", or all over the grid: "shared". Methods have units
            of their own, so they never share one.
        view: "overlay" or "heatmap" for all methods; by default what suits each. Maps in colours stay so.
        picture: whether the pictures themselves are shown, with what the network predicts.
        whole: show all of each picture, hatched where the network sees nothing, not only what it sees.
        width: of the figure in inches; by default as many as the columns take.
        caption: write each map's largest value below it.
        letters: write a, b, c in the panels, for a text to speak of.
        colormap: of matplotlib: one for maps with negative values, where zero has to be grey, one for others, or both.
        opacity: of the strongest colour over a picture, above 0 and at most 1.
        cache: a folder that keeps raw maps, so that drawing them again costs no passes.

    Returns:
        A matplotlib Figure that is not known to pyplot.

    Raises:
        InterpretError: an axis, method, class or scale that does not exist.
        PictureError: a file that is no picture.
    """
    named = classifiers if isinstance(classifiers, Mapping) else {"": classifiers}
    attacks, options = attacks or {}, options or {}
    contents = GridContents(
        named, methods, classes, top_k, layers, attacks, options, picture=picture, store=MapStore(cache)
    )
    pictures = _named(images)
    check_layout(rows, cols, scale)  # before the work
    look = GridLook(view, whole, width, caption, letters, colours_of(colormap, opacity))
    with progress_bar(len(pictures) * contents.maps_per_picture(), "grid", "map") as bar:
        cells = [cell for name, image in pictures.items() for cell in cells_of(name, image, contents, bar.update)]
    return grid_of(cells, look, rows=rows, cols=cols, scale=scale)


def _named(images: Tensor | Mapping[str, Tensor] | Sequence[Picture]) -> dict[str, Tensor]:
    """Each picture by a name of its own: its file's, or else its number."""
    if isinstance(images, Mapping):
        return dict(images)
    if isinstance(images, Tensor):
        images = images.split(1)
    named: dict[str, Tensor] = {}
    several = images if isinstance(images, list | tuple) else [images]
    for number, given in enumerate(several, 1):
        is_file = isinstance(given, str | os.PathLike)
        name = Path(os.fspath(given).removeprefix("sample:")).stem if is_file else f"picture {number}"
        image = given if isinstance(given, Tensor) else read(given)
        named[f"{name} ({number})" if name in named else name] = image
    return named


@plain_text
def grid_of(
    cells: Sequence[Cell],
    look: GridLook | None = None,
    *,
    rows: Sequence[str] | None = None,
    cols: Sequence[str] | None = None,
    scale: str = "each",
) -> Figure:
    """The figure of panels that are made already; see ``grid``."""
    return _figure(arrange(cells, rows, cols, scale), look or GridLook())


def _figure(layout: Layout, look: GridLook) -> Figure:
    """A grid drawn in as many parts, side by side or below each other, as keep it from becoming too long."""
    parts, across = layout.parts()
    if across and look.width is not None:
        look = replace(look, width=look.width / len(parts))
    drawn = [GridFigure(part, look) for part in parts]
    widths, heights = zip(*(part.size for part in drawn), strict=True)
    sheet = Sheet(sum(widths), max(heights)) if across else Sheet(max(widths), sum(heights))
    letters = letters_of() if look.letters else iter(())
    for number, part in enumerate(drawn):
        corner = (sum(widths[:number]), 0.0) if across else (0.0, sum(heights[:number]))
        part.draw(sheet, *corner, letters)
    return sheet.figure
