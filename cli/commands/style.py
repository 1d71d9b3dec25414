"""`interp style`."""

from dataclasses import asdict, dataclass
from typing import Literal

from interpret.errors import InterpretError

from ..job.provenance import provenance
from ..job.results import Outputs
from ..job.sources import one_picture
from ..options.messages import Messages
from ..options.network import ModelOptions
from ..options.numbers import AT_LEAST_ZERO
from ..options.output import output_option
from ..options.pictures import complete_pictures, seed_option
from ..options.record import argument, command, option
from ..options.types import COUNT, NUMBERS
from .optimised import Frames, check_drawable, gif_option, longer_side, saving, size_option


@dataclass(frozen=True)
class Painting:
    """How it is painted; what is not given is the method's own default."""

    layers: tuple[str, ...] = option("For the style; may be repeated.", "--layer", metavar="LAYER")
    content_layer: str | None = option("What keeps the photo.", metavar="LAYER")
    content_weight: float | None = option("More keeps more of the photo.", type=AT_LEAST_ZERO)
    smoothness: float | None = option("Weight against small differences.")
    steps: int | None = option("At each scale.", type=COUNT)
    scales: list[float] | None = option("Sizes one after another, such as 0.5,1.", type=NUMBERS)
    optimizer: Literal["adam", "lbfgs"] = option("", default="adam")
    start: Literal["photo", "noise"] = option("", default="photo")
    preserve_color: bool = option("Paint with brightness alone; the photo's colours stay.")
    seed: int = seed_option()


@command(short_help="Paint a photo in the manner of other pictures: style transfer.")
def style(
    *,
    content: str = argument(shell_complete=complete_pictures),
    styles: tuple[str, ...] = argument(nargs=-1, required=True, metavar="STYLE...", shell_complete=complete_pictures),
    style_weights: list[float] | None = option("One for each style, such as 2,1; equal by default.", type=NUMBERS),
    painting: Painting,
    size: int | None = size_option(),
    gif: str | None = gif_option(),
    output: str | None = output_option(),
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
    check_drawable(classifier)
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
