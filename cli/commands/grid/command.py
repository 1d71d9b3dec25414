"""The command `interp grid`: its options, and what it writes."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...job.outputs import VECTOR, Outputs, tell_result, write_result
from ...job.provenance import provenance
from ...job.sources import output_stems, sources_of
from ...options.classes import best_of_class_option
from ...options.group import group
from ...options.messages import Messages, message_options
from ...options.model import ModelOptions, model_options
from ...options.output import json_option
from ...options.pictures import PictureOptions, picture_options, seed_option
from ...options.types import WORDS, Radius
from .job import CacheOptions, ContentOptions, LayoutOptions, cells_of_all, contents_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interpret.figures.grid_maps import Cell

content_options = group(
    "content",
    ContentOptions,
    click.option("--methods", type=WORDS, default="gradcam", show_default=True, help="Of `interp methods`."),
    best_of_class_option,
    click.option("--top-k", type=click.IntRange(1), default=1, help="Explain so many of the top predictions."),
    click.option(
        "--layers", type=WORDS, default="", help="For the methods that look at one; `interp layers` lists them."
    ),
    click.option("--models", type=WORDS, default="", help="Several networks instead of --model."),
    click.option("--attacks", type=WORDS, default="", help="Show the pictures attacked, too; such as fgsm,pgd."),
    click.option("--eps", type=Radius(), default="4/255", show_default=True, help="Of the attacks."),
    click.option(
        "--set",
        "options",
        multiple=True,
        metavar="METHOD.OPTION=VALUE",
        help="An option of a method, such as rise.masks=500; may be repeated.",
    ),
    click.option("--picture/--no-picture", default=True, show_default=True, help="Show the pictures themselves."),
    seed_option,
)

layout_options = group(
    "layout",
    LayoutOptions,
    click.option(
        "--rows",
        type=WORDS,
        metavar="AXES",
        help="What goes down, the outermost first: images, models, attacks, classes, layers, methods. By default "
        "whatever varies but the methods.",
    ),
    click.option("--cols", type=WORDS, metavar="AXES", help="What goes across; by default what is left over."),
    click.option(
        "--scale",
        type=click.Choice(["each", "row", "col", "shared"]),
        default="each",
        show_default=True,
        help="Whose largest value gets the strongest colour: each map's own, or one that the maps of a method share "
        "in a row, in a column or all over the grid; those have a bar.",
    ),
    click.option("--view", type=click.Choice(["overlay", "heatmap"]), help="By default what suits each method."),
    click.option(
        "--whole", is_flag=True, help="Show all of each picture, not only what the network sees; the rest is hatched."
    ),
    click.option("--width", type=click.FloatRange(1), metavar="INCHES", help="Of the figure; 1.8 a column by default."),
)

cache_options = group(
    "cache",
    CacheOptions,
    click.option(
        "--cache",
        "folder",
        type=click.Path(file_okay=False),
        help="The folder where raw maps are kept, so that another layout costs nothing; by default interp/maps in "
        "$XDG_CACHE_HOME or ~/.cache. It is kept below 2 GB.",
    ),
    click.option("--no-cache", is_flag=True, help="Make every map anew and keep none."),
)

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(),
    help="A file, whose suffix picks the format (png, jpg, webp, pdf, svg), a folder, or - for standard output. By "
    "default PICTURE_grid.png here, or pictures_grid.png of several.",
)


@click.command(
    short_help="A figure of maps: methods, classes, layers, networks, attacks, pictures in rows and columns."
)
@picture_options
@content_options
@layout_options
@output_option
@cache_options
@model_options
@json_option
@message_options
def grid(
    *,
    pictures: PictureOptions,
    content: ContentOptions,
    layout: LayoutOptions,
    output: str | None,
    cache: CacheOptions,
    model: ModelOptions,
    as_json: bool,
    messages: Messages,
) -> None:
    """Maps side by side: any of methods, classes, layers, networks, attacks and pictures in rows and columns.

    \b
    interp grid sample:cat-and-dog --methods guided-backprop,gradcam,guided-gradcam -c cat -c dog -o figure.pdf
    interp grid photos/ --methods saliency,gradcam,occlusion --rows images --cols methods
    interp grid sample:cat --methods gradcam --attacks pgd --models efficientnet_lite0,squeezenet1_1

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
    about = provenance("grid", model, first, **(chosen | shown))
    path = outputs.place(output_stems(sources)[0] if len(sources) == 1 else Path("pictures"), "grid")
    _write(path, cells, layout, about)
    tell_result(path, about, as_json)
    if len({cell.place["images"] for cell in cells}) < len(sources):
        raise click.exceptions.Exit(1)


def _write(path: Path | None, cells: "Sequence[Cell]", layout: LayoutOptions, about: dict[str, Any]) -> None:
    from matplotlib.image import AxesImage

    from interpret.figures.figure_grid import grid_of

    figure = grid_of(cells, **asdict(layout))
    if path is not None and path.suffix.lower() in VECTOR:
        for image in figure.findobj(AxesImage):
            image.set_interpolation("none")  # the pixels themselves, which a reader may magnify
    write_result(path, figure, about)
