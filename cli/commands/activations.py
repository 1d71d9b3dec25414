"""`interp activations`."""

import json
from typing import Any

import click

from interpret.errors import PictureError

from .. import options
from ..inputs import Source, find_pictures, output_stems, picture_hash
from ..outputs import RAW, Outputs, output_option, write_result
from .filters import scale_option


@click.command(short_help="Draw the activation maps of a layer.")
@options.pictures_argument
@options.recursive_option
@click.option("--layer", help="The layer, as `interp layers` names it; by default the last feature map.")
@click.option("--most", type=click.IntRange(1), default=64, show_default=True, help="How many maps to draw.")
@scale_option
@output_option
@options.model_options
@options.json_option
@options.message_options
def activations(
    pictures: tuple[str, ...],
    recursive: bool,
    layer: str | None,
    most: int,
    scale: str,
    output: str | None,
    as_json: bool,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Draw the activation maps of a layer for each PICTURE, the one with the largest maximum first.

    Each map is labelled with the number of its channel and its maximum.
    """
    from interpret.network.fingerprint import fingerprint
    from interpret.network.hooks import find_layer

    sources = find_pictures(pictures, recursive)
    outputs = Outputs(output, sources)
    model = settings["model"]
    classifier = options.open_classifier(settings)
    if layer is not None:
        find_layer(classifier.network, layer)
    same = {"command": "activations", "model": model, "weights_hash": fingerprint(classifier.network)}
    failed = 0
    for source, stem in zip(sources, output_stems(sources), strict=True):
        try:
            image, seen, name, maps = _looked(classifier, source, layer)
        except (PictureError, RuntimeError) as error:
            failed += 1
            options.note_failure(source.shown, error, verbose)
            continue
        about = {**same, "layer": name, "picture": source.shown, "picture_hash": picture_hash(image)}
        path = outputs.place(stem, "activations", name)
        if outputs.suffix in RAW:
            write_result(path, {"activations": maps[0].cpu().numpy()}, about)
        else:
            write_result(path, _drawn(source, seen, name, maps, most, scale, quiet), about)
        if path is not None:
            options.tell(json.dumps({"path": str(path), **about}) if as_json else str(path))
    if failed:
        raise click.exceptions.Exit(1)


def _looked(classifier: Any, source: Source, layer: str | None) -> tuple:
    """The picture, what the network saw of it, the layer's name and its (1, K, u, v) maps."""
    from interpret.classifier import layer_of
    from interpret.units.activations import activation_maps

    image = source.read().to(classifier.mean.device)
    seen, view = classifier.prepare(image)[0], classifier.on_inputs()
    name = layer_of(view, seen, layer)
    return image, seen, name, activation_maps(view, seen, name)


def _drawn(source: Source, seen: Any, layer: str, maps: Any, most: int, scale: str, quiet: bool) -> Any:
    from interpret.figures.units import activations_figure, strongest_maps

    channels, alive = maps.shape[1], len(strongest_maps(maps))
    if alive < channels:
        options.note(f"{source.shown}: {channels - alive} of {channels} channels are zero everywhere", quiet)
    count = f"the {min(most, alive)} strongest of {channels}" if min(most, alive) < channels else f"{channels}"
    size = " x ".join(map(str, maps.shape[2:]))
    title = f"{layer}: {count} channels, {size}"
    return activations_figure(maps, image=seen, most=most, scale=scale, title=title)
