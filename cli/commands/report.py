"""`interp report`."""

from typing import Any

import click

from interpret.explainers import EXPLAINERS

from .. import options
from ..drawn import seed_option
from ..ranking import Names
from ..reporting import DEFAULT_METHODS, make_report
from ..targets import best_of_class_option

what_options = options.applied(
    click.option(
        "--methods",
        type=Names(EXPLAINERS, "method"),
        default=DEFAULT_METHODS,
        show_default=True,
        metavar="NAME,NAME",
        help="The explainers to show; `interp methods` lists them.",
    ),
    best_of_class_option,
    click.option(
        "--attack/--no-attack", default=True, show_default=True, help="Look for a small change that alters the answer."
    ),
    click.option(
        "--sanity/--no-sanity",
        default=True,
        show_default=True,
        help="See whether each method's maps depend on what the network has learnt.",
    ),
    seed_option,
)


@click.command(short_help="One HTML file: predictions, maps and how far to believe them, a change that fools.")
@options.pictures_argument
@options.recursive_option
@what_options
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    default="report.html",
    show_default=True,
    help="An .html file, a folder, or - for standard output.",
)
@options.model_options
@options.json_option
@options.message_options
def report(**settings: Any) -> None:
    """One HTML file on what a network sees in pictures, to keep or to send: it needs no other file.

    \b
    interp report sample:cat-and-dog -o report.html
    interp report photos/ --methods gradcam,occlusion,rise -c dog -m resnet50

    For each picture: what the network predicts, the maps of several methods with their deletion and insertion
    areas beside those of maps that know nothing, how small a change alters the answer, and the commands that
    repeat it all. For the network: which methods pass the sanity check.
    """
    make_report(settings)
