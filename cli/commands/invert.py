"""`interp invert`."""

from typing import TYPE_CHECKING

from ..job.provenance import provenance
from ..job.results import Outputs
from ..job.sources import one_picture
from ..options.messages import Messages
from ..options.network import ModelOptions
from ..options.output import output_option
from ..options.pictures import complete_pictures, seed_option
from ..options.record import argument, command, option
from ..options.types import COUNT
from .optimised import Frames, check_drawable, kept_on_interrupt, save

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier


@command(short_help="Feature inversion: what each layer has kept of a picture.")
def invert(
    *,
    picture: str = argument(shell_complete=complete_pictures),
    layers: tuple[str, ...] = option(
        "A layer; may be repeated. By default six over the network's depth.", "--layer", metavar="LAYER"
    ),
    steps: int = option("How many steps each layer's picture is drawn with.", default=160, type=COUNT),
    smoothness: float = option("How much differences between neighbours count against it.", default=0.5),
    seed: int = seed_option(),
    output: str | None = output_option(),
    model: ModelOptions,
    messages: Messages,
) -> None:
    """Draw, layer by layer, pictures that the network takes for the PICTURE.

    Under each is how far its features are from the picture's, relative to their size.
    """
    from interpret.drawing.inversion import invert as inverted_from
    from interpret.drawing.inversion import relative_error
    from interpret.figures.drawings import inversion_figure

    source = one_picture(picture)
    outputs, frames = Outputs(output, [source]), Frames(None)
    outputs.no_raw_format()
    classifier = model.open()
    check_drawable(classifier)
    inputs, view = classifier.prepare(source.read().to(classifier.mean.device))[0].clamp(0, 1), classifier.on_inputs()
    layers = _checked_layers(view, inputs, layers)
    chosen = {"steps": steps, "smoothness": smoothness, "seed": seed}
    about = provenance("invert", model, classifier, picture=source.shown, options={**chosen, "layers": layers})
    panels: list[tuple[str, Tensor]] = [("the photo", inputs)]

    def show(inverted: "Tensor") -> None:
        error = float(relative_error(view, inputs, inverted, layer))
        panels.append((f"{layer}\nerror {error:.2f}", inverted))

    def save_all(inverted: "Tensor") -> None:
        show(inverted)
        save(inversion_figure(panels), outputs, source, about)

    with kept_on_interrupt(frames, save_all):
        for layer in layers:
            messages.note(f"inverting {layer}")
            show(inverted_from(view, inputs, layer, watch=frames, **chosen))
    save(inversion_figure(panels), outputs, source, about)


def _checked_layers(view: "Classifier", inputs: "Tensor", layers: tuple[str, ...]) -> tuple[str, ...]:
    """The layers asked for, all of which exist, or else some over the depth of the network."""
    from interpret.drawing.layer_choice import spread_layers
    from interpret.network.hooks import find_layer

    for layer in layers:
        find_layer(view.network, layer)
    return layers or tuple(spread_layers(view, inputs, 6))
