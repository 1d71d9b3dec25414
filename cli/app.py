"""The entrance, and the one place where errors become lines and exit statuses."""

import errno
import io
import sys
import warnings
from collections.abc import Sequence

import click

from . import check_import_name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what stands behind `interp`; those of the process by default.

    Returns:
        The exit status: 0 done, 1 some input failed, 2 wrong usage, 3 a threshold missed, 130
        interrupted.
    """
    problem = check_import_name()
    if problem:
        click.echo(f"Error: {problem}", err=True)
        return 2
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # for what its encoding lacks
    try:
        from .commands import app  # not before `interpret` is known to be ours

        with warnings.catch_warnings():
            # Pillow warns of what it then reads; said once here, since the threads that read share the filters.
            warnings.filterwarnings("ignore", module="PIL")
            return app.main(given, prog_name="interp", standalone_mode=False) or 0
    except click.ClickException as error:
        return _failed(_usage(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _failed("interrupted", 130)
    except Exception as error:
        if _verbosity(given) >= 2:
            from .options.messages import whole_story

            whole_story(error)
        return _failed(*_said(error))


def _usage(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    if message.endswith("?") or not isinstance(error, click.UsageError) or error.ctx is None:
        return message
    return f"{message}; `{error.ctx.command_path} --help` tells more"


def _said(error: Exception) -> tuple[str, int]:
    from attacks.errors import AttackError
    from interpret.errors import OUT_OF_MEMORY, InterpretError, PictureError, is_out_of_memory

    if is_out_of_memory(error):
        return OUT_OF_MEMORY, 1
    if isinstance(error, InterpretError | AttackError):
        return str(error), 1 if isinstance(error, PictureError) else 2
    if isinstance(error, OSError):
        # Files are written elsewhere, by name; what has none is standard output.
        place = error.filename or ("standard output" if error.errno == errno.ENOSPC else "")
        return f"{place}{': ' if place else ''}{error.strerror or error}", 1
    return f"{type(error).__name__}: {error}; run again with -vv for the whole story", 1


def _verbosity(arguments: Sequence[str]) -> int:
    flags = [word for word in arguments if word.startswith("-v") and set(word[1:]) == {"v"}]
    return sum(len(flag) - 1 for flag in flags) + arguments.count("--verbose")


def _failed(message: str, status: int) -> int:
    from .options.messages import note

    note(f"Error: {' '.join(message.split())}")
    return status
