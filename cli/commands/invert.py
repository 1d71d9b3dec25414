"""`interp invert`."""

from typing import TYPE_CHECKING, Any

import click

from .. import drawn, options
from ..outputs import Outputs, output_option

if TYPE_CHECKING:
    from torch import Tensor


@click.command(short_help="Draw what each layer has kept of a picture: feature inversion.")
@click.argument("picture", shell_complete=options.complete_pictures)
@click.option(
    "--layer", "layers", multiple=True, metavar="LAYER", help="May be repeated; by default six over the depth."
)
@click.option("--steps", type=click.IntRange(1), default=160, show_default=True, help="For each layer.")
@click.option("--smoothness", type=click.FloatRange(0), default=0.5, show_default=True, help="Of the total variation.")
@drawn.seed_option
@output_option
@options.model_options
@options.message_options
def invert(
    picture: str,
    layers: tuple[str, ...],
    steps: int,
    smoothness: float,
    seed: int,
    output: str | None,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Draw, layer by layer, pictures that the network takes for the PICTURE.

    Under each is how far its features are from the picture's, relative to their size.
    """
    from interpret.drawing.inversion import invert as inverted_from
    from interpret.drawing.inversion import relative_error
    from interpret.drawing.layer_choice import spread_layers
    from interpret.figures import inversion_figure
    from interpret.network.hooks import find_layer

    source = drawn.one_picture(picture)
    outputs, frames = Outputs(output, [source]), drawn.Frames(None)
    drawn.no_raw_format(outputs)
    named = dict(settings)
    classifier = options.open_classifier(settings)
    image = source.read().to(classifier.mean.device)
    inputs = classifier.prepare(image)[0].clamp(0, 1)
    view = classifier.on_inputs()
    for layer in layers:
        find_layer(classifier.network, layer)
    layers = layers or tuple(spread_layers(view, inputs, 6))
    chosen = {"steps": steps, "smoothness": smoothness, "seed": seed}
    about = drawn.about_run("invert", named, classifier, picture=source.shown, options={**chosen, "layers": layers})
    panels: list[tuple[str, Tensor]] = [("the photo", inputs)]

    def show(inverted: "Tensor") -> None:
        error = float(relative_error(view, inputs, inverted, layer))
        panels.append((f"{layer}\nerror {error:.2f}", inverted))

    def save_all(inverted: "Tensor") -> None:
        show(inverted)
        drawn.save(inversion_figure(panels), outputs, source, about)

    with drawn.kept_on_interrupt(frames, save_all):
        for layer in layers:
            options.note(f"inverting {layer}", quiet)
            show(inverted_from(view, inputs, layer, watch=frames, **chosen))
    drawn.save(inversion_figure(panels), outputs, source, about)
