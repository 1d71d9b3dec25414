"""The group `interp attack`, and the command of every attack that fools with single pictures."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError

from ...group import HintingGroup, LazyCommands, imported
from ...job.provenance import provenance
from ...job.results import Outputs
from ...job.sources import output_stems, sources_of
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.output import OutputOptions, json_option
from ...options.pictures import OptionalPictures
from ...options.radius import check_radius
from ...options.signature import ALONE, Method, attack_method, method_command
from ...options.types import dashed
from ...plug_ins import ATTACKS
from .choices import AttackOptions
from .job import Attacking
from .judges import Judges
from .verdict import VerdictTable, parse_transforms

if TYPE_CHECKING:
    from interpret.classifier import Classifier

LOSSLESS = (".png",)
DEFAULT_PICTURE, DEFAULT_MODEL = "sample:giant-panda", "squeezenet1_1"
# What every attack has: written once below, or decided by the command.
SHARED = ("targeted", "stop_when_fooled", "quantize", "batch_size", "seed", "start")


def _command(name: str) -> click.Command:
    method = attack_method(name)
    without = f"Without a PICTURE it is {DEFAULT_PICTURE} that is changed, as {DEFAULT_MODEL} sees it."
    method = replace(method, description=f"{method.description}\n\n{without}")
    own = [option for option in method.options if option.name not in SHARED]
    return method_command(method, _attack, own)


def _attack(
    method: Method,
    *,
    pictures: OptionalPictures,
    chosen: dict[str, Any],
    attack: AttackOptions,
    output: OutputOptions,
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Attack every picture, write the results and judge them; the exit status is 1 where some failed."""
    if not pictures.pictures:  # one that shows what an attack is
        pictures = replace(pictures, pictures=(DEFAULT_PICTURE,))
        source = click.get_current_context().get_parameter_source("model")
        if source is click.core.ParameterSource.DEFAULT:
            model = model.named(DEFAULT_MODEL)
        messages.note(f"no picture was named: {DEFAULT_PICTURE}, seen by {model.model}")
    sources = sources_of(pictures)
    outputs = Outputs(output.output, sources)
    transforms = _checked(method, chosen, attack, outputs)
    table = VerdictTable(Path(attack.csv), method.name) if attack.csv else None
    model.check_classes(attack.label, attack.target)
    classifier = model.open(tiles=True)
    job = job_of(
        method,
        classifier,
        outputs,
        chosen=chosen,
        attack=attack,
        model=model,
        messages=messages,
        transforms=transforms,
        figure=len(sources) == 1 and not as_json if attack.figure is None else attack.figure,
        as_json=as_json,
        no_clobber=output.no_clobber,
        table=table,
    )
    job.run(list(zip(sources, output_stems(sources), strict=True)))
    if len(sources) > 1:
        for line in job.judges.table(as_json):
            tell(line) if as_json else messages.note(line)
    if job.failed:
        raise click.exceptions.Exit(1)
    if attack.require_success and job.withstood:
        messages.note(f"{job.withstood} of {len(sources)} pictures withstood")
        raise click.exceptions.Exit(3)


def job_of(
    method: Method,
    classifier: "Classifier",
    outputs: Outputs,
    *,
    chosen: dict[str, Any],
    attack: AttackOptions,
    model: ModelOptions,
    messages: Messages,
    **more: Any,
) -> Attacking:
    """The job of a command's options; ``more`` is what else there is to it."""
    shared = {name: getattr(attack, name) for name in ("label", "target", "quantize", "all_steps", "seed")}
    if attack.start:
        shared["start"] = attack.start
    return Attacking(
        method=method,
        classifier=classifier,
        outputs=outputs,
        chosen=chosen,
        attack=attack,
        about=provenance(f"attack {method.command}", model, classifier, options={**chosen, **shared}),
        messages=messages,
        judges=Judges.of(attack.judge, model, classifier),
        **more,
    )


def _checked(
    method: Method, chosen: dict[str, Any], attack: AttackOptions, outputs: Outputs
) -> list[tuple[str, float]]:
    """Refuse what can be known to be wrong before the first picture is read; the transforms to be survived."""
    if outputs.suffix not in LOSSLESS:
        raise InterpretError(
            f"{outputs.suffix} would change what was found; write .png, and ask --jpeg 90 whether it survives"
        )
    check_radius(chosen.get("eps"), chosen.get("norm", "Linf"))
    if attack.target and attack.label:
        raise InterpretError("give --label or --target; with a target, the label is anything else")
    return parse_transforms(attack.through, attack.jpeg)


COMMANDS = {name.replace("_", "-"): functools.partial(_command, name) for name in ALONE} | {
    "patch": imported("cli.commands.attack.shared", "patch"),
    "universal": imported("cli.commands.attack.shared", "universal"),
    "object": imported("cli.commands.attack.object", "textured"),
    "explanation": imported("cli.commands.attack.explanation", "explanation"),
}

KINDS = {
    "eps": "Within a bound of the change",
    "minimum_norm": "The smallest change",
    "pixels": "A few pixels",
    "shared": "One change for all pictures",
    "map": "What an explanation shows",
}


def _sections() -> dict[str, Sequence[str]]:
    return {KINDS[own]: [dashed(name) for name, kind in ATTACKS.items() if kind == own] for own in KINDS}


def _line(name: str) -> str:
    return attack_method(name).line


@click.group(
    cls=HintingGroup,
    commands=LazyCommands(COMMANDS),
    sections=_sections(),
    lines={dashed(name): functools.partial(_line, name) for name in ALONE},
    short_help="Pictures changed a little, so that a network is fooled: every attack.",
)
def attack() -> None:
    """Change pictures a little so that a network sees something else in them.

    \b
    interp attack fgsm
    interp attack pgd photo.jpg --eps 2lv --target "toaster"
    interp attack carlini-wagner photos/ --csv verdicts.csv

    The picture is changed at its full size, on the 255 levels of an 8-bit file, which 2lv is two of. It is
    written as PNG, read back, and only then judged: `fooled` means that the file fools.
    """
