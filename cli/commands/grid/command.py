"""The command `interp grid`: its options, and what it writes."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...job.provenance import provenance
from ...job.results import VECTOR, Outputs, tell_result, write_result
from ...job.sources import output_stems, sources_of
from ...options.figure import FigureOptions
from ...options.messages import Messages
from ...options.network import ModelOptions
from ...options.output import json_option
from ...options.pictures import PictureOptions
from ...options.record import command, option
from ...options.safety import Written
from .job import CacheOptions, ContentOptions, LayoutOptions, LookOptions, cells_of_all, contents_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@command(short_help="Figure of maps: methods, classes, layers, networks, attacks, pictures in rows and columns.")
def grid(
    *,
    pictures: PictureOptions,
    content: ContentOptions,
    layout: LayoutOptions,
    display: LookOptions,
    figure: FigureOptions,
    output: str | None = option(
        "Where the figure goes: a file, whose suffix picks the format (png, jpg, webp, pdf, svg), a folder, or - for "
        "standard output. By default PICTURE_grid.png here, or pictures_grid.png of several.",
        "-o",
        "--output",
        type=Written(),
    ),
    cache: CacheOptions,
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Maps side by side: any of methods, classes, layers, networks, attacks and pictures in rows and columns.

    \b
    interp grid sample:cat-and-dog --methods gradcam,guided-gradcam -c cat -c dog
    interp grid photos/ --methods saliency,gradcam --rows images -o figure.pdf
    interp grid sample:cat --attacks pgd --models plain_cifar10,robust_cifar10

    Raw maps are kept, so that drawing them again in another way runs no network. Beside the pictures
    stands what the network predicts, beside the maps the class they explain, with its probability.
    """
    sources = sources_of(pictures)
    outputs = Outputs(output, sources[:1])
    outputs.inputs |= {source.path.resolve() for source in sources if source.path is not None}
    outputs.no_raw_format()
    with messages.of_the_library(quiet=not messages.verbose):
        contents = contents_of(content, layout, cache, model, messages)
        cells = cells_of_all(sources, contents, messages)
    if not cells:
        raise click.exceptions.Exit(1)
    first = next(iter(contents.classifiers.values()))
    shown = {"pictures": [source.shown for source in sources], "models": contents.identities}
    chosen = {**asdict(content), "methods": contents.methods, "options": contents.options, "layout": asdict(layout)}
    chosen |= {"display": asdict(display) | asdict(figure)}
    about = provenance("grid", model, first, **(chosen | shown))
    from interpret.figures.figure_grid import grid_of

    path = outputs.place(output_stems(sources)[0] if len(sources) == 1 else Path("pictures"), "grid")
    _write(path, grid_of(cells, display.look, **asdict(layout)), about)
    tell_result(path, about, as_json)
    if len({cell.place["images"] for cell in cells}) < len(sources):
        raise click.exceptions.Exit(1)


def _write(path: Path | None, drawn: "Figure", about: dict[str, Any]) -> None:
    from matplotlib.image import AxesImage

    if path is not None and path.suffix.lower() in VECTOR:
        for image in drawn.findobj(AxesImage):
            image.set_interpolation("none")  # the pixels themselves, which a reader may magnify
    write_result(path, drawn, about)
