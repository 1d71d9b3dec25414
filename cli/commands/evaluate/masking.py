"""`interp evaluate masking`."""

import json

import click

from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.output import json_option
from ...options.radius import Radius, check_radius
from ...options.record import command, option
from ...options.types import COUNT
from .labelled import FolderOptions, open_data, stacked


@command(short_help="Is the robustness real? Signs of masked gradients.")
def masking(
    *,
    data: FolderOptions,
    eps: float = option("The largest change of a value that the attacks may make.", default="8/255", type=Radius()),
    queries: int = option(
        "How often the attack without gradients asks the network, for each picture.", default=500, type=COUNT
    ),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Is the robustness real? Look for signs that gradients are masked, on a FOLDER of labelled pictures.

    NaN and vanished gradients, saturated logits, probabilities as outputs, randomness; attacks that
    find less the stronger they are; pictures that withstand an attack without bound; and attacks
    without gradients that find what gradients miss. Exits with status 3 where a sign is found.
    """
    from attacks.evaluation.gradient_masking import masking_checks

    check_radius(eps)
    pictures = open_data(data, model.open(), messages)
    images, labels = stacked(pictures)
    view = pictures.classifier.on_inputs()
    sized = {"queries": queries, "batch_size": data.batch_size, "seed": data.seed}
    checks = masking_checks(view, images, labels, eps=eps, **sized)
    for check in checks:
        row = {"check": check.name, "fine": check.fine, "evidence": check.evidence}
        line = f"{'fine' if check.fine else 'SIGN':5} {check.name:14} {check.evidence}"
        tell(json.dumps(row) if as_json else line)
    if not all(check.fine for check in checks):
        messages.note("gradients may be masked: do not believe what gradient attacks leave standing")
        raise click.exceptions.Exit(3)
    if pictures.failed:
        raise click.exceptions.Exit(1)
