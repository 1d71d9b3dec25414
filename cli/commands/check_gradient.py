"""`interp check-gradient`."""

import json
from collections import Counter
from dataclasses import asdict

import click

from ..job.sources import one_picture
from ..options.classes import class_option
from ..options.messages import Messages, tell
from ..options.network import ModelOptions
from ..options.output import json_option
from ..options.pictures import complete_pictures
from ..options.record import argument, command, option
from ..options.types import COUNT

MEANING = {
    "agrees": "the two agree",
    "kink": "a ReLU or a max-pool switches within the step, so neither number is wrong",
    "differs": "some operation's backward pass is not the derivative of what it computes: a custom backward, a "
    "detach, or rounding",
}


@command("check-gradient", short_help="Gradient check: a network's gradient beside differences.")
def check_gradient(
    *,
    picture: str = argument(shell_complete=complete_pictures),
    query: str | None = class_option(
        "The class whose score is differentiated; by default the top prediction.", "-c", "--class"
    ),
    pixels: int = option("How many values of the picture to check.", default=20, type=COUNT),
    seed: int = option("The seed that the places are drawn by.", default=0),
    model: ModelOptions,
    as_json: bool = json_option(),
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
            tell(json.dumps(asdict(row)))
        else:
            place = f"channel {row.channel}, row {row.row}, column {row.column}"
            tell(f"{row.verdict:8} {place:34} {row.analytic:14.6e} {row.numeric:14.6e} {row.error:9.1e}")
    counts = Counter(row.verdict for row in checked)
    for verdict, count in counts.items():
        messages.note(f"{count} of {len(checked)}: {MEANING[verdict]}")
    if counts["differs"]:
        raise click.exceptions.Exit(3)
