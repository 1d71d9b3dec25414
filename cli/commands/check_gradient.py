"""`interp check-gradient`."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

import click

from .. import options
from ..inputs import find_pictures

MEANING = {
    "agrees": "the two agree",
    "kink": "a ReLU or a max-pool switches within the step, so neither number is wrong",
    "differs": "some operation's backward pass is not the derivative of what it computes: a custom backward, a "
    "detach, or rounding",
}


@click.command("check-gradient", short_help="Compare a network's gradient with differences.")
@click.argument("picture", shell_complete=options.complete_pictures)
@click.option("-c", "--class", "query", metavar="CLASS", help="A class; by default the top prediction.")
@click.option("--pixels", type=click.IntRange(1), default=20, show_default=True, help="How many values to check.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the places.")
@options.model_options
@options.json_option
@options.message_options
def check_gradient(
    picture: str,
    query: str | None,
    pixels: int,
    seed: int,
    as_json: bool,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Compare a network's gradient with central differences, in double precision, at random pixels.

    Exits with 3 where they differ for another reason than a kink.
    """
    import torch

    from interpret.gradient_check import check_gradient as check

    source, *others = find_pictures([picture], recursive=False)
    if others:
        raise click.UsageError(f"one picture at a time, not {len(others) + 1}")
    classifier = options.open_classifier(settings)
    image = source.read().to(classifier.mean.device)
    with torch.no_grad():
        target = classifier.find(query, image) if query else classifier(image).argmax(1)
    options.note(f"explaining the logit of {classifier.name(int(target))}", quiet)
    checked = check(classifier, image, target, pixels=pixels, seed=seed)
    for row in checked:
        if as_json:
            click.echo(json.dumps(asdict(row)))
        else:
            place = f"channel {row.channel}, row {row.row}, column {row.column}"
            click.echo(f"{row.verdict:8} {place:34} {row.analytic:14.6e} {row.numeric:14.6e} {row.error:9.1e}")
    counts = Counter(row.verdict for row in checked)
    for verdict, count in counts.items():
        options.note(f"{count} of {len(checked)}: {MEANING[verdict]}", quiet)
    if counts["differs"]:
        raise click.exceptions.Exit(3)
