"""`interp factorize`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..job.provenance import provenance
from ..job.results import RAW, Outputs, tell_result, write_result
from ..job.sources import Source, output_stems, sources_of
from ..options.messages import Messages
from ..options.network import ModelOptions
from ..options.output import json_option, output_option
from ..options.pictures import PictureOptions
from ..options.record import command, option
from ..options.types import COUNT
from .concepts import read_pictures

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.units.factors import Factors

MOST = 12  # pictures in one figure


@command(short_help="Deep feature factorisation: the parts that a layer tells apart in pictures.")
def factorize(
    *,
    pictures: PictureOptions,
    factors: int = option("How many parts the layer is taken apart into.", default=4, type=COUNT),
    layer: str | None = option(
        "The layer, as `interp layers` names it; by default the last feature map.", metavar="LAYER"
    ),
    output: str | None = output_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Draw the parts that a layer tells apart in the PICTURES, all taken together: deep feature factorisation.

    A row is a picture, a column a part: what looks alike to the network has the same column in every picture.
    Under the first picture stands what the network sees where the layer gives that part alone. No class is named, and
    no gradient is used. (Collins et al. 2018, https://arxiv.org/abs/1806.10206)
    """
    from interpret.images.files import pixels_hash
    from interpret.network.hooks import find_layer
    from interpret.units.factors import factorize as factors_of

    sources = sources_of(pictures)
    outputs = Outputs(output, [Source("factors", None, output_stems(sources)[0])])
    classifier = model.open()
    if layer is not None:
        find_layer(classifier.network, layer)
    read, images, failed = read_pictures(sources, classifier, messages)
    found = factors_of(classifier, images, layer=layer, factors=factors)
    about = provenance("factorize", model, classifier, layer=found.layer, factors=factors)
    shown = [source.shown for source in read]
    about |= {"pictures": shown, "pictures_hash": [pixels_hash(image) for image in images], "left_out": found.error}
    words = [found.layer] if len(read) == 1 else [found.layer, str(len(read))]
    path = outputs.place(output_stems(read)[0], "factors", *words)
    if outputs.suffix in RAW:
        write_result(path, _arrays(found), about)
    else:
        if len(images) > MOST:
            messages.note(f"the first {MOST} of {len(images)} pictures are drawn")
        write_result(path, _figure(classifier, images[:MOST], found), about)
    tell_result(path, about, as_json)
    if failed:
        raise click.exceptions.Exit(1)


def _figure(classifier: "Classifier", images: "Sequence[Tensor]", found: "Factors") -> object:
    from interpret.figures.units import factors_figure

    inputs = [classifier.prepare(image)[0].clamp(0, 1) for image in images]
    title = f"{found.layer}: {len(found.directions)} factors, which leave out {found.error:.0%} of what it gives"
    return factors_figure(inputs, found.maps[: len(images)], names=_names(classifier, found), title=title)


def _names(classifier: "Classifier", found: "Factors") -> list[str]:
    """What the network sees of each factor alone, in the picture where the factor is strongest."""
    names = []
    for factor in range(len(found.directions)):
        strongest = max(range(len(found.maps)), key=lambda picture: float(found.maps[picture][factor].square().sum()))
        logits = found.logits[strongest][factor]
        names.append(classifier.shown(logits, int(logits.argmax())))
    return names


def _arrays(found: "Factors") -> dict:
    maps = {f"maps_{number}": own.cpu().numpy() for number, own in enumerate(found.maps)}
    return {**maps, "directions": found.directions.cpu().numpy()}
