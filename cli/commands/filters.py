"""`interp filters`."""

import json
from pathlib import Path
from typing import Any

import click

from .. import options
from ..inputs import Source
from ..outputs import RAW, Outputs, output_option, slug, write_result

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
@options.model_options
@options.json_option
@options.message_options
def filters(
    layer: str | None,
    most: int,
    scale: str,
    output: str | None,
    as_json: bool,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Draw the weights of a network's first layer, one picture a unit.

    Filters that see three channels are drawn in colour around mid grey, others in blue below zero and
    red above. Of a network that is linear in the picture there is one template a class.
    """
    from interpret.figures.units import DEEPEST, filters_figure
    from interpret.network.fingerprint import fingerprint
    from interpret.units.activations import first_filters

    outputs = Outputs(output, [Source("filters", None, Path("filters"))])
    model = settings["model"]
    classifier = options.open_classifier(settings)
    weights = first_filters(classifier, layer)
    about = {"command": "filters", "model": model, "weights_hash": fingerprint(classifier.network), "layer": layer}
    path = outputs.place(Path(slug(model)), "filters", *([layer] if layer else []))
    if outputs.suffix in RAW:
        write_result(path, {"filters": weights.cpu().numpy()}, about)
    else:
        channels = weights.shape[1]
        if channels not in (1, 3):
            most = min(most, 64)  # each of them is a row
        if channels > DEEPEST:
            options.note(f"of each filter the first {DEEPEST} of {channels} channels", quiet)
        if len(weights) > most:
            options.note(f"the first {most} of {len(weights)} filters", quiet)
        templates = classifier.labels is not None and len(weights) == len(classifier.labels)
        names = [classifier.name(index) for index in range(len(weights))][:most] if templates else ()
        shape = " x ".join(map(str, weights.shape))
        title = f"{model}: {layer or 'first layer'}, {shape}"
        write_result(path, filters_figure(weights[:most], names=names, scale=scale, title=title), about)
    if path is not None:
        options.tell(json.dumps({"path": str(path), **about}) if as_json else str(path))
