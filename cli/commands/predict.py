"""`interp predict`."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .. import options
from ..batches import Picture, batch_option, batches, tried
from ..inputs import Source, find_pictures

if TYPE_CHECKING:
    from interpret.classifier import Classifier


@click.command(short_help="Say what a network sees in pictures.")
@options.pictures_argument
@options.recursive_option
@click.option("--top-k", type=click.IntRange(1), default=5, show_default=True, help="How many classes.")
@batch_option
@options.fold_option
@options.model_options
@options.json_option
@options.message_options
def predict(
    pictures: tuple[str, ...],
    recursive: bool,
    top_k: int,
    batch_size: int,
    as_json: bool,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Say what a network sees in each PICTURE, with probabilities."""
    sources = find_pictures(pictures, recursive)
    classifier = options.open_classifier(settings)
    failed: list[Source] = []

    def fail(source: Source, error: Exception) -> None:
        failed.append(source)
        options.note_failure(source.shown, error, verbose)

    def look(batch: Sequence[Picture]) -> list[tuple[Picture, list[dict[str, Any]]]]:
        return list(zip(batch, _top(classifier, batch, top_k), strict=True))

    work = [(source, None) for source in sources]
    for batch in batches(work, classifier, fail, batch_size=batch_size, keep=False, bar=len(work) > 1):
        for picture, top in tried(batch, look, fail):
            if as_json:
                options.tell(json.dumps({"picture": picture.source.shown, "top": top}))
                continue
            options.tell(picture.source.shown)
            for row in top:
                options.tell(f"  {row['probability']:6.1%}  {row['name']} ({row['index']})")
    if failed:
        raise click.exceptions.Exit(1)


def _top(classifier: "Classifier", batch: Sequence[Picture], top_k: int) -> list[list[dict[str, Any]]]:
    import torch

    with torch.inference_mode():
        logits = classifier.on_inputs()(torch.cat([picture.inputs for picture in batch]))
        best = logits.softmax(1).topk(min(top_k, logits.shape[1]))
    return [
        [
            {"index": index, "name": classifier.name(index), "probability": round(value, 6)}
            for value, index in zip(values, indices, strict=True)
        ]
        for values, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
