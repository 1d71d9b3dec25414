"""Help whose lines end between words, and never inside the name or the value of an option."""

import re
from collections.abc import Iterable
from typing import Any

import click

# What one reads in one piece: flags and hyphened words, what stands in backquotes, defaults, places of a paper, and the
# terms of a product or a sum.
IN_ONE_PIECE = re.compile(
    r"\S*\w-[\w-]\S*|--?\w\S*|`[^`]+`|(?<=\S) [*/x+] (?=\S)|(?<=\[)default: [^];]{,40}"
    r"|(section|eq\.|figure|algorithm) \d|from \S+ to \S+\]|\[\d[^][]{,20}\]"
)
HYPHEN, SPACE = "\ue000", "\ue001"  # stand for those that no line may end at


class HelpFormatter(click.HelpFormatter):
    """Writes help so that what is read in one piece stays on one line."""

    def write(self, string: str) -> None:
        """Write a text."""
        super().write(string.replace(HYPHEN, "-").replace(SPACE, " "))

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        super().write_text(_in_one_piece(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], *widths: Any, **more: Any) -> None:
        """Write names, and beside them what they are."""
        super().write_dl([(name, _in_one_piece(text)) for name, text in rows], *widths, **more)


def _in_one_piece(text: str) -> str:
    return IN_ONE_PIECE.sub(lambda found: found.group().replace("-", HYPHEN).replace(" ", SPACE), text)


class HelpContext(click.Context):
    """A context whose help is written so."""

    formatter_class = HelpFormatter
