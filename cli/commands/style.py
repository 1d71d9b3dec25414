"""`interp style`."""

from dataclasses import asdict, dataclass

import click

from interpret.errors import InterpretError

from ..job.outputs import Outputs
from ..job.provenance import provenance
from ..job.sources import one_picture
from ..options.group import group
from ..options.messages import Messages, message_options
from ..options.model import ModelOptions, model_options
from ..options.output import output_option
from ..options.pictures import complete_pictures, seed_option
from ..options.types import NUMBERS
from .optimised import Frames, gif_option, longer_side, saving, size_option


@dataclass(frozen=True)
class Painting:
    """How it is painted; what is not given is the method's own default."""

    layers: tuple[str, ...]
    content_layer: str | None
    content_weight: float | None
    smoothness: float | None
    steps: int | None
    scales: list[float] | None
    optimizer: str
    start: str
    preserve_color: bool
    seed: int


@click.command(short_help="Paint a photo in the manner of other pictures: style transfer.")
@click.argument("content", shell_complete=complete_pictures)
@click.argument("styles", nargs=-1, required=True, metavar="STYLE...", shell_complete=complete_pictures)
@click.option("--style-weights", type=NUMBERS, help="One for each style, such as 2,1; equal by default.")
@group(
    "painting",
    Painting,
    click.option("--layer", "layers", multiple=True, metavar="LAYER", help="For the style; may be repeated."),
    click.option("--content-layer", metavar="LAYER", help="What keeps the photo."),
    click.option("--content-weight", type=click.FloatRange(0), help="More keeps more of the photo."),
    click.option("--smoothness", type=click.FloatRange(0), help="Weight against small differences."),
    click.option("--steps", type=click.IntRange(1), help="At each scale."),
    click.option("--scales", type=NUMBERS, help="Sizes one after another, such as 0.5,1."),
    click.option("--optimizer", type=click.Choice(["adam", "lbfgs"]), default="adam", show_default=True),
    click.option("--start", type=click.Choice(["photo", "noise"]), default="photo", show_default=True),
    click.option("--preserve-color", is_flag=True, help="Paint with brightness alone; the photo's colours stay."),
    seed_option,
)
@size_option
@gif_option
@output_option
@model_options
@message_options
def style(
    *,
    content: str,
    styles: tuple[str, ...],
    style_weights: list[float] | None,
    painting: Painting,
    size: int | None,
    gif: str | None,
    output: str | None,
    model: ModelOptions,
    messages: Messages,
) -> None:
    """Paint a photo, CONTENT, in the manner of one or several STYLE pictures.

    \b
    interp style photo.jpg sample:painting-night-cafe
    interp style photo.jpg one.jpg two.jpg --style-weights 2,1 --preserve-color

    Any network works through its layers' names; where VGG-19 can be downloaded, -m vgg19 paints
    with the layers of the paper.
    """
    source = one_picture(content)
    sources = [one_picture(word) for word in styles]
    if style_weights is not None and len(style_weights) != len(sources):
        raise InterpretError(f"{len(sources)} style pictures need as many --style-weights, not {len(style_weights)}")
    outputs, frames = Outputs(output, [source]), Frames(gif)
    outputs.no_raw_format()
    classifier = model.open()
    image = source.read().to(classifier.mean.device)
    chosen = {name: value for name, value in asdict(painting).items() if value is not None and value != ()}
    chosen["size"] = longer_side(image, size)

    from interpret.drawing.style_transfer import style_transfer

    told = {"styles": [one.shown for one in sources], "style_weights": style_weights, **chosen}
    about = provenance("style", model, classifier, picture=source.shown, options=told)
    with saving(frames, outputs, source, about) as save:
        paintings = [one.read().to(image) for one in sources]
        save(style_transfer(classifier, image, paintings, weights=style_weights, watch=frames, **chosen))
    messages.note(frames.progress)
