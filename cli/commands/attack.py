"""`interp attack`: a command for every attack of the table."""

import functools
from typing import Any

import click

from .. import options
from ..attacking import attack_pictures
from ..explain import method_option
from ..hints import HintingGroup
from ..lazy import Lazy, imported
from ..outputs import clobber_option, output_option
from ..signatures import ALONE, attack_method

DEFAULT_PICTURE, DEFAULT_MODEL = "sample:giant-panda", "squeezenet1_1"
# What every attack has: written once below, or decided by the command.
SHARED = ("targeted", "stop_when_fooled", "quantize", "batch_size", "seed", "start")


shared_options = options.applied(
    click.option(
        "--label",
        metavar="CLASS",
        shell_complete=options.complete_classes,
        help="What is really in the pictures; by default what the network says. Where it is wrong before, "
        "nothing is attacked.",
    ),
    click.option(
        "--target",
        metavar="CLASS",
        shell_complete=options.complete_classes,
        help="What the network shall see instead; by default anything else.",
    ),
    click.option(
        "--quantize/--no-quantize",
        default=True,
        show_default=True,
        help="Stay on the grid of an 8-bit file, so that the PNG is exactly what was found.",
    ),
    click.option(
        "--all-steps", is_flag=True, help="Take every step; by default a picture is left alone once it fools."
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything random."),
    click.option(
        "--figure/--no-figure",
        default=None,
        help="Draw the picture before and after, the change magnified, and where the network looked; by default "
        "for one picture.",
    ),
    click.option("--jpeg", type=click.IntRange(1, 100), metavar="QUALITY", help="Ask whether JPEG is survived."),
    click.option(
        "--through",
        metavar="LIST",
        help="Ask what is survived of jpeg, resize, blur, noise; such as resize,jpeg:75,blur.",
    ),
    click.option("--csv", type=click.Path(dir_okay=False), help="Write a table of verdicts too, picture by picture."),
    click.option("--require-success", is_flag=True, help="Exit with status 3 where some picture is not fooled."),
)


def _command(name: str) -> click.Command:
    method = attack_method(name)

    def run(**settings: Any) -> None:
        _with_a_picture(settings)
        attack_pictures(method, settings)

    run.__doc__ = f"{method.description}\n\n{method.title}: {method.url}"
    decorated = options.applied(
        click.argument("pictures", nargs=-1, metavar="[PICTURE...]", shell_complete=options.complete_pictures),
        options.recursive_option,
        *(method_option(option) for option in method.options if option.name not in SHARED),
        shared_options,
        output_option,
        clobber_option,
        options.model_options,
        options.json_option,
        options.message_options,
    )(run)
    return click.command(method.command, short_help=method.summary)(decorated)


def _with_a_picture(settings: dict[str, Any]) -> None:
    """Where no picture is named, take one that shows what an attack is."""
    if settings["pictures"]:
        return
    source = click.get_current_context().get_parameter_source("model")
    settings["pictures"] = (DEFAULT_PICTURE,)
    if source is click.core.ParameterSource.DEFAULT:
        settings["model"] = DEFAULT_MODEL
    options.note(f"no picture was named: {DEFAULT_PICTURE}, seen by {settings['model']}", settings["quiet"])


COMMANDS = {name.replace("_", "-"): functools.partial(_command, name) for name in ALONE} | {
    "patch": imported("cli.commands.attack_shared", "patch"),
    "universal": imported("cli.commands.attack_shared", "universal"),
    "explanation": imported("cli.commands.attack_explanation", "explanation"),
}


@click.group(
    cls=HintingGroup, commands=Lazy(COMMANDS), short_help="Change pictures a little so that a network is fooled."
)
def attack() -> None:
    """Change pictures a little so that a network sees something else in them.

    \b
    interp attack fgsm
    interp attack pgd photo.jpg --eps 2lv --target "toaster"
    interp attack carlini-wagner photos/ --csv verdicts.csv

    The picture is changed at its full size, on the grid of an 8-bit file. It is written as PNG, read
    back, and only then judged: `fooled` means that the file fools.
    """
