"""`interp filters`."""

from pathlib import Path
from typing import Any

import click

from ..job.provenance import provenance
from ..job.results import RAW, Outputs, slug, tell_result, write_result
from ..job.sources import Source
from ..options.messages import Messages
from ..options.network import ModelOptions
from ..options.output import json_option, output_option
from ..options.record import command, option
from ..options.types import COUNT


def scale_option() -> Any:
    """The value that gets the strongest colour."""
    text = "What gets the strongest colour: each picture's own largest value, or the largest of all."
    return option(text, default="each", type=click.Choice(["each", "shared"]))


@command(short_help="First filters: the weights of a network's first layer.")
def filters(
    *,
    layer: str | None = option("Another convolution or linear layer than the first.", metavar="LAYER"),
    most: int = option("How many filters to draw, at most.", default=256, type=COUNT),
    scale: str = scale_option(),
    output: str | None = output_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Draw the weights of a network's first layer, one picture a unit.

    Filters that see three channels are drawn in colour around mid grey, others in blue below zero and
    red above. Of a network that is linear in the picture there is one template a class.
    """
    from interpret.figures.units import MAX_CHANNELS, filters_figure
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
        if channels > MAX_CHANNELS:
            messages.note(f"of each filter the first {MAX_CHANNELS} of {channels} channels")
        if len(weights) > most:
            messages.note(f"the first {most} of {len(weights)} filters")
        templates = classifier.labels is not None and len(weights) == len(classifier.labels)
        names = [classifier.name(index) for index in range(len(weights))][:most] if templates else ()
        title = f"{model.model}: {layer or 'first layer'}, {' x '.join(map(str, weights.shape))}"
        write_result(path, filters_figure(weights[:most], names=names, scale=scale, title=title), about)
    tell_result(path, about, as_json)
