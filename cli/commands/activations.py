"""`interp activations`."""

from typing import TYPE_CHECKING

import click

from interpret.errors import PictureError

from ..job.provenance import provenance
from ..job.results import RAW, Outputs, tell_result, write_result
from ..job.sources import Source, output_stems, sources_of
from ..options.messages import Messages
from ..options.network import ModelOptions
from ..options.output import json_option, output_option
from ..options.pictures import PictureOptions
from ..options.record import command, option
from ..options.types import COUNT
from .filters import scale_option

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from interpret.classifier import Classifier


@command(short_help="Activation maps: what a layer gives for a picture.")
def activations(
    *,
    pictures: PictureOptions,
    layer: str | None = option(
        "The layer, as `interp layers` names it; by default the last feature map.", metavar="LAYER"
    ),
    most: int = option("How many maps to draw, at most.", default=64, type=COUNT),
    scale: str = scale_option(),
    output: str | None = output_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Draw the activation maps of a layer for each PICTURE, the one with the largest maximum first.

    Each map is labelled with the number of its channel and its maximum.
    """
    from interpret.images.files import pixels_hash
    from interpret.network.hooks import find_layer

    sources = sources_of(pictures)
    outputs = Outputs(output, sources)
    classifier = model.open()
    if layer is not None:
        find_layer(classifier.network, layer)
    same, failed = provenance("activations", model, classifier), 0
    for source, stem in zip(sources, output_stems(sources), strict=True):
        try:
            image, inputs, name, maps = _activations_of(classifier, source, layer)
        except (PictureError, RuntimeError) as error:
            failed += 1
            messages.failure(source.shown, error)
            continue
        about = {**same, "layer": name, "picture": source.shown, "picture_hash": pixels_hash(image)}
        path = outputs.place(stem, "activations", name)
        if outputs.suffix in RAW:
            write_result(path, {"activations": maps[0].cpu().numpy()}, about)
        else:
            title = _title(source, name, maps, most, messages)
            write_result(path, _figure(inputs, maps, most, scale, title), about)
        tell_result(path, about, as_json)
    if failed:
        raise click.exceptions.Exit(1)


def _activations_of(
    classifier: "Classifier", source: Source, layer: str | None
) -> "tuple[Tensor, Tensor, str, Tensor]":
    """The picture, the network's input, the layer's name and its (1, K, u, v) maps."""
    from interpret.layer_outputs import layer_of
    from interpret.units.activations import activation_maps

    image = source.read().to(classifier.mean.device)
    inputs, view = classifier.prepare(image)[0], classifier.on_inputs()
    name = layer_of(view, inputs, layer)
    return image, inputs, name, activation_maps(view, inputs, name)


def _title(source: Source, layer: str, maps: "Tensor", most: int, messages: Messages) -> str:
    from interpret.figures.units import strongest_maps

    channels, alive = maps.shape[1], len(strongest_maps(maps))
    if alive < channels:
        messages.note(f"{source.shown}: {channels - alive} of {channels} channels are zero everywhere")
    count = f"the {min(most, alive)} strongest of {channels}" if min(most, alive) < channels else f"{channels}"
    return f"{layer}: {count} channels, {' x '.join(map(str, maps.shape[2:]))}"


def _figure(inputs: "Tensor", maps: "Tensor", most: int, scale: str, title: str) -> "Figure":
    from interpret.figures.units import activations_figure

    return activations_figure(maps, image=inputs, most=most, scale=scale, title=title)
