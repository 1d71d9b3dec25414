"""`interp predict`."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import shortened

from ..job.sources import Source, sources_of
from ..options.messages import Messages, tell
from ..options.network import ModelOptions, fold_option
from ..options.output import json_option
from ..options.pictures import PictureOptions, batch_option
from ..options.record import command, option
from ..options.types import COUNT

if TYPE_CHECKING:
    from interpret.classifier import Classifier
    from interpret.datasets.batches import Prepared


@command(short_help="Say what a network sees in pictures.")
def predict(
    *,
    pictures: PictureOptions,
    top_k: int = option("How many of the likeliest classes to name.", default=5, type=COUNT),
    batch_size: int = batch_option(),
    fold: bool = fold_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Say what a network sees in each PICTURE, with probabilities.

    Of labels that do not exclude each other each has its own; of a regression the outputs are in their own unit.
    """
    sources = sources_of(pictures)
    classifier = model.open(fold=fold, tiles=True)
    from interpret.datasets.batches import batches, each_alone_on_failure

    failures: list[Source] = []

    def failed(source: Source, error: Exception) -> None:
        failures.append(source)
        messages.failure(source.shown, error)

    def look(batch: "Sequence[Prepared]") -> "list[tuple[Prepared, list[dict[str, Any]]]]":
        return list(zip(batch, top_of(classifier, batch, top_k), strict=True))

    reading = {"read": Source.read_stored, "waits": Source.waits, "batch_size": batch_size, "bar": len(sources) > 1}
    for batch in batches(sources, classifier, failed, keep=False, **reading):
        for picture, top in each_alone_on_failure(batch, look, failed):
            if as_json:
                tell(json.dumps({"picture": picture.item.shown, "top": top}))
                continue
            tell(picture.item.shown)
            for row in top:
                tell(f"  {_number(row)}  {shortened(row['name'])} ({row['index']})")
    if len(sources) > 1:
        messages.note(f"{len(sources) - len(failures)} predicted, {len(failures)} failed")
    if failures:
        raise click.exceptions.Exit(1)


def _number(row: dict[str, Any]) -> str:
    return f"{row['probability']:6.1%}" if "probability" in row else f"{row['value']:10.5g}"


def top_of(classifier: "Classifier", batch: "Sequence[Prepared]", top_k: int) -> list[list[dict[str, Any]]]:
    """The highest classes of each picture with their probabilities, or of a regression its outputs."""
    import torch

    from interpret.predictions import highest

    with torch.inference_mode():
        return highest(classifier, classifier.on_inputs()(torch.cat([picture.inputs for picture in batch])), top_k)
