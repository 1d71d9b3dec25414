"""`interp check-gradient`."""

import json
from collections import Counter
from dataclasses import asdict

import click

from ..job.sources import one_picture
from ..options.classes import class_option
from ..options.messages import Messages, message_options
from ..options.model import ModelOptions, model_options
from ..options.output import json_option
from ..options.pictures import complete_pictures

MEANING = {
    "agrees": "the two agree",
    "kink": "a ReLU or a max-pool switches within the step, so neither number is wrong",
    "differs": "some operation's backward pass is not the derivative of what it computes: a custom backward, a "
    "detach, or rounding",
}


@click.command("check-gradient", short_help="Compare a network's gradient with differences.")
@click.argument("picture", shell_complete=complete_pictures)
@class_option("-c", "--class", "query", help="A class; by default the top prediction.")
@click.option("--pixels", type=click.IntRange(1), default=20, show_default=True, help="How many values to check.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the places.")
@model_options
@json_option
@message_options
def check_gradient(
    *,
    picture: str,
    query: str | None,
    pixels: int,
    seed: int,
    model: ModelOptions,
    as_json: bool,
    messages: Messages,
) -> None:
    """Compare a network's gradient with central differences, in double precision, at random pixels.

    Exits with 3 where they differ for another reason than a kink.
    """
    from interpret.gradient_check import check_gradient as check

    source = one_picture(picture)
    classifier = model.open()
    image = source.read().to(classifier.mean.device)
    target = classifier.find(query, image) if query else classifier.predict(image)
    messages.note(f"explaining the logit of {classifier.name(int(target))}")
    checked = check(classifier, image, target, pixels=pixels, seed=seed)
    for row in checked:
        if as_json:
            click.echo(json.dumps(asdict(row)))
        else:
            place = f"channel {row.channel}, row {row.row}, column {row.column}"
            click.echo(f"{row.verdict:8} {place:34} {row.analytic:14.6e} {row.numeric:14.6e} {row.error:9.1e}")
    counts = Counter(row.verdict for row in checked)
    for verdict, count in counts.items():
        messages.note(f"{count} of {len(checked)}: {MEANING[verdict]}")
    if counts["differs"]:
        raise click.exceptions.Exit(3)
