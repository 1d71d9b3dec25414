"""What a command says: results on standard output, notes and failures on standard error."""

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import click

from interpret.errors import PictureError, error_line, printable, shortened

from .record import option

QUIET = "cli.quiet"  # the key of a context's notes on it
LONGEST = 1000  # letters of a message


def _without_bars(ctx: click.Context, parameter: click.Parameter, quiet: bool) -> bool:
    """Hide the library's own progress bars until the command ends."""
    ctx.meta[QUIET] = quiet
    if quiet:
        from interpret.progress import without_bars

        ctx.with_resource(without_bars())
    return quiet


@dataclass(frozen=True)
class Messages:
    """How much a command says, and the saying of it."""

    quiet: bool = option("Print no notes and no progress bar.", "-q", "--quiet", callback=_without_bars, is_eager=True)
    verbose: int = option(
        "Print more notes; -vv also says where in the program an error arose.",
        "-v",
        "--verbose",
        default=0,
        show_default=False,
        count=True,
    )

    def note(self, *lines: str) -> None:
        """Lines on standard error, which leaves standard output to the results; none where quiet."""
        if not self.quiet:
            note(*lines)

    def failure(self, shown: str, error: Exception) -> None:
        """Report a picture that failed, in one line; the run goes on with the others."""
        if self.verbose >= 2:
            whole_story(error)
        place = "" if isinstance(error, PictureError) else f"{shown}: "  # a PictureError names it
        note(f"Error: {place}{error_line(error)}")

    def summary(self, written: int, skipped: int, failed: int) -> None:
        """What became of several pictures."""
        self.note(f"{written} written, {skipped} skipped, {failed} failed")

    @contextmanager
    def noting_warnings(self) -> Iterator[None]:
        """A block whose warnings are notes, each once, at its end."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        self.note(*dict.fromkeys(str(warning.message) for warning in caught))

    @contextmanager
    def of_the_library(self, *, quiet: bool | None = None) -> Iterator[None]:
        """Show what the methods log, such as how many activations a rule replaced, as notes; each once."""
        quiet = self.quiet if quiet is None else quiet
        logger, handler = logging.getLogger("interpret"), logging.StreamHandler(sys.stderr)
        level, said = logger.level, set()
        handler.setFormatter(_Line())
        handler.addFilter(lambda record: not (record.getMessage() in said or said.add(record.getMessage())))
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING if quiet else logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _line(record.getMessage())


def note(*lines: str) -> None:
    """Lines on standard error, also while a progress bar is on the terminal."""
    sys.stdout.flush()
    with _bar_aside():
        for line in lines:
            click.echo(_line(line), err=True)


def tell(result: str) -> None:
    """A line on standard output, also while a progress bar is on the terminal."""
    with _bar_aside():
        click.echo(printable(result))


def whole_story(error: Exception) -> None:
    """The traceback of an error on standard error."""
    note(*"".join(traceback.format_exception(error)).rstrip().split("\n"))


def _line(message: str) -> str:
    # Names in it may be anybody's, and of any length.
    return shortened(printable(message), LONGEST)


def _bar_aside() -> AbstractContextManager:
    bars = sys.modules.get("tqdm")  # only who shows a bar has imported it
    return bars.tqdm.external_write_mode() if bars else nullcontext()
