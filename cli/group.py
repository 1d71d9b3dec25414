"""The command group: every command under its name, and where their defaults come from."""

import click

from interpret import __version__

from .commands import COMMANDS
from .config import default_map
from .explain import EXPLAINING
from .hints import HintingGroup
from .lazy import Lazy


@click.group(
    cls=HintingGroup,
    commands=Lazy({**COMMANDS, **EXPLAINING}),
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
