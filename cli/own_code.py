"""Where code is looked for: in the current folder only while code of the user's own is imported."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def not_from_here() -> None:
    """Take the current folder, where `python -m` puts it, off the places that modules are looked for in.

    A file that lies there by chance and is called like an optional import of some package would run. The folder
    stays if this package itself was found in it.
    """
    home = Path(__file__).resolve().parent.parent
    if not sys.flags.safe_path and sys.path and _is_here(sys.path[0]) and not _is_here(str(home)):
        del sys.path[0]


@contextmanager
def code_from_here(name: str) -> Iterator[None]:
    """A block in which the current folder's modules are found, where a name means code: package.module:function.

    They come after all others. The console script, unlike `python -m`, would not find them.
    """
    if not names_code(name) or any(map(_is_here, sys.path)):
        yield
        return
    sys.path.append(here := os.getcwd())
    try:
        yield
    finally:
        sys.path[:] = [place for place in sys.path if place != here]


def names_code(name: str) -> bool:
    """Whether a network's name means code of the user's own."""
    return ":" in name and not name.startswith("timm:")


def _is_here(place: str) -> bool:
    try:
        return os.path.samefile(place or os.curdir, os.curdir)
    except OSError:  # such as a folder that is no more
        return False
