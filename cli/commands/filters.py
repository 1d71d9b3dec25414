"""`interp filters`."""

from pathlib import Path

import click

from ..job.outputs import RAW, Outputs, slug, tell_result, write_result
from ..job.provenance import provenance
from ..job.sources import Source
from ..options.messages import Messages, message_options
from ..options.model import ModelOptions, model_options
from ..options.output import json_option, output_option

scale_option = click.option(
    "--scale",
    type=click.Choice(["each", "shared"]),
    default="each",
    show_default=True,
    help="What gets the strongest colour: each picture's own largest value, or the largest of all.",
)


@click.command(short_help="Draw the weights of a network's first layer.")
@click.option("--layer", help="Another convolution or linear layer; by default the first.")
@click.option("--most", type=click.IntRange(1), default=256, show_default=True, help="How many filters to draw.")
@scale_option
@output_option
@model_options
@json_option
@message_options
def filters(
    *,
    layer: str | None,
    most: int,
    scale: str,
    output: str | None,
    model: ModelOptions,
    as_json: bool,
    messages: Messages,
) -> None:
    """Draw the weights of a network's first layer, one picture a unit.

    Filters that see three channels are drawn in colour around mid grey, others in blue below zero and
    red above. Of a network that is linear in the picture there is one template a class.
    """
    from interpret.figures.units import DEEPEST, filters_figure
    from interpret.units.activations import first_filters

    outputs = Outputs(output, [Source("filters", None, Path("filters"))])
    classifier = model.open()
    weights = first_filters(classifier, layer)
    about = provenance("filters", model, classifier, layer=layer)
    path = outputs.place(Path(slug(model.model)), "filters", *([layer] if layer else []))
    if outputs.suffix in RAW:
        write_result(path, {"filters": weights.cpu().numpy()}, about)
    else:
        channels = weights.shape[1]
        if channels not in (1, 3):
            most = min(most, 64)  # each of them is a row
        if channels > DEEPEST:
            messages.note(f"of each filter the first {DEEPEST} of {channels} channels")
        if len(weights) > most:
            messages.note(f"the first {most} of {len(weights)} filters")
        templates = classifier.labels is not None and len(weights) == len(classifier.labels)
        names = [classifier.name(index) for index in range(len(weights))][:most] if templates else ()
        title = f"{model.model}: {layer or 'first layer'}, {' x '.join(map(str, weights.shape))}"
        write_result(path, filters_figure(weights[:most], names=names, scale=scale, title=title), about)
    tell_result(path, about, as_json)
