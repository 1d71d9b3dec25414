"""`interp style`."""

from typing import Any

import click

from interpret.errors import InterpretError

from .. import drawn, options
from ..outputs import Outputs, output_option


@click.command(short_help="Paint a photo in the manner of other pictures: style transfer.")
@click.argument("content", shell_complete=options.complete_pictures)
@click.argument("styles", nargs=-1, required=True, metavar="STYLE...", shell_complete=options.complete_pictures)
@click.option("--style-weights", type=options.Numbers(), help="One for each style, such as 2,1; equal by default.")
@click.option("--layer", "layers", multiple=True, metavar="LAYER", help="For the style; may be repeated.")
@click.option("--content-layer", metavar="LAYER", help="What keeps the photo.")
@click.option("--content-weight", type=click.FloatRange(0), help="More keeps more of the photo.")
@click.option("--smoothness", type=click.FloatRange(0), help="Weight against small differences.")
@click.option("--steps", type=click.IntRange(1), help="At each scale.")
@click.option("--scales", type=options.Numbers(), help="Sizes one after another, such as 0.5,1.")
@click.option("--optimizer", type=click.Choice(["adam", "lbfgs"]), default="adam", show_default=True)
@click.option("--start", type=click.Choice(["photo", "noise"]), default="photo", show_default=True)
@click.option("--preserve-color", is_flag=True, help="Paint with brightness alone; the photo's colours stay.")
@drawn.size_option
@drawn.gif_option
@drawn.seed_option
@output_option
@options.model_options
@options.message_options
def style(
    content: str,
    styles: tuple[str, ...],
    style_weights: list[float] | None,
    gif: str | None,
    output: str | None,
    size: int | None,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Paint a photo, CONTENT, in the manner of one or several STYLE pictures.

    \b
    interp style photo.jpg sample:painting-night-cafe
    interp style photo.jpg one.jpg two.jpg --style-weights 2,1 --preserve-color

    Any network works through its layers' names; where VGG-19 can be downloaded, -m vgg19 paints
    with the layers of the paper.
    """
    source = drawn.one_picture(content)
    sources = [drawn.one_picture(word) for word in styles]
    if style_weights is not None and len(style_weights) != len(sources):
        raise InterpretError(f"{len(sources)} style pictures need as many --style-weights, not {len(style_weights)}")
    outputs, frames = Outputs(output, [source]), drawn.Frames(gif)
    drawn.no_raw_format(outputs)
    names = ("layers", "content_layer", "content_weight", "smoothness", "steps", "scales")
    asked = {name: settings.pop(name) for name in (*names, "optimizer", "start", "preserve_color", "seed")}
    # What was not asked for is the method's own default.
    chosen = {name: value for name, value in asked.items() if value is not None and value != ()}
    named = dict(settings)
    classifier = options.open_classifier(settings)
    image = source.read().to(classifier.mean.device)
    chosen["size"] = drawn.longer_side(image, size)

    from interpret.drawing.style_transfer import style_transfer

    shown = {"styles": [style.shown for style in sources], "style_weights": style_weights, **chosen}
    about = drawn.about_run("style", named, classifier, picture=source.shown, options=shown)
    with drawn.saving(frames, outputs, source, about) as save:
        paintings = [style.read().to(image) for style in sources]
        save(style_transfer(classifier, image, paintings, weights=style_weights, watch=frames, **chosen))
    options.note(f"the objective went from {frames.scores[0]:.3g} to {frames.scores[-1]:.3g}", quiet)
