"""The command group, and the one place where errors become lines and exit statuses."""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from interpret import __version__
from interpret.errors import InterpretError, PictureError, did_you_mean

from . import check_import_name
from .commands import COMMANDS
from .config import default_map
from .explain import explainer_commands


class Group(click.Group):
    """A group that suggests the command one may have meant."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            dashed = name.replace("_", "-")
            hint = did_you_mean(dashed, self.list_commands(ctx)) or "; `interp --help` lists the commands"
            raise click.UsageError(f"no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Group,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
        "auto_envvar_prefix": "INTERP",
    },
)
@click.version_option(__version__, prog_name="interp")
@click.option("--config", type=click.Path(dir_okay=False), help="Defaults for options; interp.toml by default.")
@click.pass_context
def app(ctx: click.Context, config: str | None) -> None:
    """See where an image classifier looks, and why.

    \b
    interp gradcam photo.jpg --class cat       where does it see the cat?
    interp predict photos/                     what does it see?
    interp gradcam sample:cat-and-dog -c cat -c dog --view side-by-side

    Pictures are files, folders, globs, - for standard input, or sample:NAME for a bundled photo.
    Every option can be set in interp.toml, under [tool.interp] in pyproject.toml, or as INTERP_*.
    """
    ctx.default_map = default_map(config, app.commands)


for command in (*COMMANDS, *explainer_commands()):
    app.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what stands behind `interp`; those of the process by default.

    Returns:
        The exit status: 0 done, 1 some input failed, 2 wrong usage, 130 interrupted.
    """
    problem = check_import_name()
    if problem:
        return _failed(problem, 2)
    # The console script, unlike `python -m`, does not look for package.module:function here.
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.append(os.getcwd())
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return app.main(given, prog_name="interp", standalone_mode=False) or 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _failed("interrupted", 130)
    except BrokenPipeError:
        # Whoever read standard output has gone; nobody is left to be told so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if _verbosity(given) >= 2:
            traceback.print_exc()
        return _failed(*_said(error))


def _said(error: Exception) -> tuple[str, int]:
    if isinstance(error, InterpretError):
        return str(error), 1 if isinstance(error, PictureError) else 2
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}", 1
    if isinstance(error, MemoryError):
        return "out of memory; try smaller pictures or fewer at a time", 1
    return f"{type(error).__name__}: {error}; run again with -vv for the whole story", 1


def _verbosity(arguments: Sequence[str]) -> int:
    flags = [word for word in arguments if word.startswith("-v") and set(word[1:]) == {"v"}]
    return sum(len(flag) - 1 for flag in flags) + arguments.count("--verbose")


def _failed(message: str, status: int) -> int:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    return status
