"""A grid of maps for a paper, with pictures, networks, attacks, classes, layers and methods in rows or columns."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..classifier import Classifier
from ..images.files import read
from ..progress import progress_bar
from .cache import MapStore
from .grid_layout import arrange, check_layout
from .grid_maps import AttackFunction, Cell, GridContents, cells_of
from .grid_panels import GridSheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def grid(
    classifiers: Classifier | Mapping[str, Classifier],
    images: Tensor | Mapping[str, Tensor] | Sequence[str | os.PathLike],
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
    cache: str | os.PathLike | None = None,
) -> Figure:
    """Maps of several methods, classes, layers, networks, attacks and pictures side by side.

    Args:
        classifiers: one, or several by name.
        images: (N, 3, H, W) in [0, 1], or several (1, 3, H, W) by name, or files and samples.
        methods: names of the table EXPLAINERS.
        classes: names, groups or indices; of a group, the member that the network scores highest. By default the
            predicted class.
        top_k: how many of the top predictions are explained where no classes are named.
        layers: for the methods that look at one; by default each method's own default.
        attacks: name to a function from classifier, images and labels to images. Its pictures stand beside the clean
            ones, and the classes predicted for them are explained.
        options: method to its own options.
        rows: the axes that go down, the outermost first: any of "images", "models", "attacks", "classes", "layers" and
            "methods". By default all that vary, except the methods.
        cols: the axes that go across; by default those that ``rows`` leaves.
        scale: whose largest value gets the strongest colour: that of "each" map; or one for all maps of a method in a
            "row", in a "col", or in the whole grid ("shared"). Methods have different units and never share a scale.
        view: "overlay" or "heatmap" for all methods; by default what suits each. Maps in colours stay so.
        picture: whether the pictures themselves are shown, with the network's prediction.
        whole: whether all of each picture is shown, hatched where the network sees nothing, or only what it sees.
        width: of the figure in inches; by default as wide as its columns need.
        cache: a folder that keeps raw maps, so that drawing them again takes no passes.

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
    with progress_bar(len(pictures) * contents.maps_per_picture(), "grid", "map") as bar:
        cells = [cell for name, image in pictures.items() for cell in cells_of(name, image, contents, bar.update)]
    return grid_of(cells, rows=rows, cols=cols, scale=scale, view=view, whole=whole, width=width)


def _named(images: Tensor | Mapping[str, Tensor] | Sequence[str | os.PathLike]) -> dict[str, Tensor]:
    if isinstance(images, Tensor):
        return {f"picture {number}": image for number, image in enumerate(images.split(1), 1)}
    if isinstance(images, Mapping):
        return dict(images)
    files = [images] if isinstance(images, str | os.PathLike) else images
    return {Path(os.fspath(file).removeprefix("sample:")).stem: read(file) for file in files}


def grid_of(
    cells: Sequence[Cell],
    *,
    rows: Sequence[str] | None = None,
    cols: Sequence[str] | None = None,
    scale: str = "each",
    view: str | None = None,
    whole: bool = False,
    width: float | None = None,
) -> Figure:
    """The figure of panels from ``cells_of``; see ``grid`` for the arguments."""
    return GridSheet(arrange(cells, rows, cols, scale), width, whole).draw(view)
