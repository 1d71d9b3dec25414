"""The command `interp`: its commands by name, and where the defaults of their options come from.

A command `interp X` is the file or the folder X; a command `interp X Y` is the file X/Y.
"""

import functools
from collections.abc import Sequence

import click

from interpret import __version__
from interpret.explainers import BUILT_IN, EXPLAINERS, FAMILIES, PLUGGED_IN

from ..config import default_map
from ..group import HintingGroup, LazyCommands, imported
from ..options.signature import explainer_method
from ..options.types import dashed
from .explain.command import EXPLAINING

# Name to the file of this folder, in which the command has the name of the last part.
FILES = {
    "predict": "predict",
    "grid": "grid.command",
    "filters": "filters",
    "activations": "activations",
    "top_activations": "top_activations",
    "units": "units",
    "factorize": "factorize",
    "concepts": "concepts",
    "tcav": "tcav",
    "check_gradient": "check_gradient",
    "models": "models",
    "layers": "layers",
    "classes": "classes",
    "methods": "methods",
    "samples": "samples",
    "visualize": "visualize.command",
    "dream": "dream",
    "style": "style",
    "invert": "invert",
    "attack": "attack.command",
    "evaluate": "evaluate.command",
    "train": "train.command",
    "report": "report.command",
    "app": "page.command",  # a folder of its name would take the place of the group below
    "doctor": "doctor",
    "completion": "completion",
}
# What `interp --help` lists where; explainers stand between the first two, and what is not named comes last.
SECTIONS = {
    "Look at a picture": ("predict", "grid", "units"),
    "What a network has learnt": (
        *("visualize", "filters", "activations", "top-activations", "factorize", "concepts", "tcav"),
        *("dream", "style", "invert"),
    ),
    "Fool it": ("attack",),
    "Harden it": ("train",),
    "Measure": ("evaluate", "check-gradient"),
    "Report and page": ("report", "app"),
    "Lists": ("methods", "models", "layers", "classes", "samples"),
    "This program": ("doctor", "completion"),
}
COMMANDS = {name.replace("_", "-"): imported(f"{__name__}.{file}", name) for name, file in FILES.items()}


def _sections() -> dict[str, Sequence[str]]:
    """The headings of `interp --help`, with the explainers family by family."""
    families: dict[str, list[str]] = {}
    for name in BUILT_IN:
        if name in FAMILIES:
            families[heading := f"Where it looks: {FAMILIES[name]}"] = []
        families[heading].append(dashed(name))
    others = {"Where it looks: of other packages": [dashed(name) for name in PLUGGED_IN]}
    first, *rest = SECTIONS
    return {first: SECTIONS[first], **families, **others, **{heading: SECTIONS[heading] for heading in rest}}


def _line(name: str) -> str:
    return explainer_method(name).line


@click.group(
    cls=HintingGroup,
    commands=LazyCommands({**COMMANDS, **EXPLAINING}),
    sections=_sections(),
    lines={dashed(name): functools.partial(_line, name) for name in EXPLAINERS},
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="interp")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    envvar="INTERP_CONFIG",
    help="A file with defaults for options; by default interp.toml in the current folder.",
)
@click.pass_context
def app(ctx: click.Context, config: str | None) -> None:
    """See where an image classifier looks, what it has learnt, and how it is fooled.

    \b
    interp gradcam photo.jpg --class cat       where does it see the cat?
    interp predict photos/                     what does it see?
    interp gradcam sample:cat-and-dog -c cat -c dog --view side-by-side

    Pictures are files, folders, globs, - for standard input, or sample:NAME for a bundled photo.
    Every option can be set in interp.toml, under [tool.interp] in pyproject.toml, or in the
    environment: INTERP_DEVICE=cpu holds for every command, INTERP_GRADCAM_DEVICE=cpu for one.
    """
    ctx.default_map = default_map(config, app.commands)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
