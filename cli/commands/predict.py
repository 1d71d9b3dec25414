"""`interp predict`."""

import json
from typing import Any

import click

from interpret.errors import PictureError

from .. import options
from ..inputs import Source, find_pictures


@click.command(short_help="Say what a network sees in pictures.")
@options.pictures_argument
@options.recursive_option
@click.option("--top-k", type=click.IntRange(1), default=5, show_default=True, help="How many classes.")
@options.model_options
@options.json_option
@options.message_options
def predict(
    pictures: tuple[str, ...],
    recursive: bool,
    top_k: int,
    as_json: bool,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Say what a network sees in each PICTURE, with probabilities."""
    sources = find_pictures(pictures, recursive)
    classifier = options.open_classifier(settings)
    failed = 0
    for source in sources:
        try:
            top = _top(classifier, source, top_k)
        except (PictureError, RuntimeError) as error:
            failed += 1
            options.note_failure(source.shown, error, verbose)
            continue
        if as_json:
            click.echo(json.dumps({"picture": source.shown, "top": top}))
        else:
            click.echo(source.shown)
            for row in top:
                click.echo(f"  {row['probability']:6.1%}  {row['name']} ({row['index']})")
    if failed:
        raise click.exceptions.Exit(1)


def _top(classifier: Any, source: Source, top_k: int) -> list[dict[str, Any]]:
    import torch

    with torch.inference_mode():
        probabilities = classifier(source.read().to(classifier.mean.device))[0].softmax(0)
    best = probabilities.topk(min(top_k, len(probabilities)))
    return [
        {"index": index, "name": classifier.name(index), "probability": round(value, 6)}
        for value, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
