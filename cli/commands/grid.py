"""`interp grid`."""

from typing import Any

import click

from .. import options
from ..gridding import Words, draw_grid
from ..targets import best_of_class_option

what_options = options.applied(
    click.option(
        "--methods", type=Words(), default="gradcam", show_default=True, help="Of `interp methods`, with commas."
    ),
    best_of_class_option,
    click.option("--top-k", type=click.IntRange(1), default=1, help="Explain so many of the top predictions."),
    click.option(
        "--layers", type=Words(), default="", help="For the methods that look at one; `interp layers` lists them."
    ),
    click.option("--models", type=Words(), default="", help="Several networks instead of --model."),
    click.option("--attacks", type=Words(), default="", help="Show the pictures attacked, too; such as fgsm,pgd."),
    click.option("--eps", type=options.Radius(), default="4/255", show_default=True, help="Of the attacks."),
    click.option(
        "--set",
        "set",
        multiple=True,
        metavar="METHOD.OPTION=VALUE",
        help="An option of a method, such as rise.masks=500; may be repeated.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything random."),
)

drawing_options = options.applied(
    click.option(
        "--rows",
        type=Words(),
        metavar="AXES",
        help="What goes down, the outermost first: images, models, attacks, classes, layers, methods. By default "
        "whatever varies but the methods.",
    ),
    click.option("--cols", type=Words(), metavar="AXES", help="What goes across; by default what is left over."),
    click.option(
        "--scale",
        type=click.Choice(["each", "row", "col", "shared"]),
        default="each",
        show_default=True,
        help="Whose largest value gets the strongest colour: each map's own, or one that the maps of a method share "
        "in a row, in a column or all over the grid; those have a bar.",
    ),
    click.option("--view", type=click.Choice(["overlay", "heatmap"]), help="By default what suits each method."),
    click.option("--picture/--no-picture", default=True, show_default=True, help="Show the pictures themselves."),
    click.option(
        "--whole", is_flag=True, help="Show all of each picture, not only what the network sees; the rest is hatched."
    ),
    click.option("--width", type=click.FloatRange(1), metavar="INCHES", help="Of the figure; 1.8 a column by default."),
)

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(),
    help="A file, whose suffix picks the format (png, jpg, webp, pdf, svg), a folder, or - for standard output. By "
    "default PICTURE_grid.png here, or pictures_grid.png of several.",
)

cache_options = options.applied(
    click.option(
        "--cache",
        type=click.Path(file_okay=False),
        help="The folder where raw maps are kept, so that another layout costs nothing; by default interp/maps in "
        "$XDG_CACHE_HOME or ~/.cache. It is kept below 2 GB.",
    ),
    click.option("--no-cache", is_flag=True, help="Make every map anew and keep none."),
)


@click.command(
    short_help="A figure of maps: methods, classes, layers, networks, attacks, pictures in rows and columns."
)
@options.pictures_argument
@options.recursive_option
@what_options
@drawing_options
@output_option
@cache_options
@options.model_options
@options.json_option
@options.message_options
def grid(**settings: Any) -> None:
    """Maps side by side: any of methods, classes, layers, networks, attacks and pictures in rows and columns.

    \b
    interp grid sample:cat-and-dog --methods guided-backprop,gradcam,guided-gradcam -c cat -c dog -o figure.pdf
    interp grid photos/ --methods saliency,gradcam,occlusion --rows images --cols methods
    interp grid sample:cat --methods gradcam --attacks pgd --models efficientnet_lite0,squeezenet1_1

    Raw maps are kept, so that drawing them again in another way runs no network. Beside the pictures
    stands what the network predicts, beside the maps the class they explain, with its probability.
    """
    draw_grid(settings)
