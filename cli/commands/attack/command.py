"""The group `interp attack`, and the command of every attack that fools with single pictures."""

import functools
from typing import Any

import click

from ...group import HintingGroup, LazyCommands, imported
from ...options.classes import class_option
from ...options.group import group
from ...options.messages import Messages, message_options
from ...options.model import ModelOptions, model_options
from ...options.output import OutputOptions, json_option, output_options
from ...options.pictures import PictureOptions, optional_picture_options, seed_option
from ...options.signature import ALONE, Method, attack_method, method_command, method_option
from .job import AttackOptions, attack_pictures

DEFAULT_PICTURE, DEFAULT_MODEL = "sample:giant-panda", "squeezenet1_1"
# What every attack has: written once below, or decided by the command.
SHARED = ("targeted", "stop_when_fooled", "quantize", "batch_size", "seed", "start")

attack_options = group(
    "attack",
    AttackOptions,
    class_option(
        "--label",
        help="What is really in the pictures; by default what the network says. Where it is wrong before, "
        "nothing is attacked.",
    ),
    class_option("--target", help="What the network shall see instead; by default anything else."),
    click.option(
        "--quantize/--no-quantize",
        default=True,
        show_default=True,
        help="Stay on the levels of an 8-bit file, so that the PNG is exactly what was found.",
    ),
    click.option(
        "--all-steps", is_flag=True, help="Take every step; by default a picture is left alone once it fools."
    ),
    seed_option,
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

    def run(**values: Any) -> None:
        _attack(method, **values)

    return method_command(
        method,
        run,
        optional_picture_options,
        *(method_option(option) for option in method.options if option.name not in SHARED),
        attack_options,
        output_options,
        model_options,
        json_option,
        message_options,
    )


def _attack(
    method: Method,
    *,
    pictures: PictureOptions,
    attack: AttackOptions,
    output: OutputOptions,
    model: ModelOptions,
    as_json: bool,
    messages: Messages,
    **chosen: Any,
) -> None:
    """Where no picture is named, take one that shows what an attack is."""
    if not pictures.pictures:
        pictures = PictureOptions((DEFAULT_PICTURE,), pictures.recursive)
        source = click.get_current_context().get_parameter_source("model")
        if source is click.core.ParameterSource.DEFAULT:
            model = model.named(DEFAULT_MODEL)
        messages.note(f"no picture was named: {DEFAULT_PICTURE}, seen by {model.model}")
    attack_pictures(
        method,
        chosen,
        pictures=pictures,
        attack=attack,
        output=output,
        model=model,
        as_json=as_json,
        messages=messages,
    )


COMMANDS = {name.replace("_", "-"): functools.partial(_command, name) for name in ALONE} | {
    "patch": imported("cli.commands.attack.shared", "patch"),
    "universal": imported("cli.commands.attack.shared", "universal"),
    "explanation": imported("cli.commands.attack.explanation", "explanation"),
}


@click.group(
    cls=HintingGroup,
    commands=LazyCommands(COMMANDS),
    short_help="Change pictures a little so that a network is fooled.",
)
def attack() -> None:
    """Change pictures a little so that a network sees something else in them.

    \b
    interp attack fgsm
    interp attack pgd photo.jpg --eps 2lv --target "toaster"
    interp attack carlini-wagner photos/ --csv verdicts.csv

    The picture is changed at its full size, on the levels of an 8-bit file. It is written as PNG, read
    back, and only then judged: `fooled` means that the file fools.
    """
