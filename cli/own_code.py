"""What a network's name may run, and where code is looked for: in the current folder only while it is named."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOGETHER = " + "  # between the names of networks that are taken as one


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
    from interpret.models.own_code import names_function  # not at the top, where the folder may still be searched

    if not any(map(names_function, networks_in(name))) or any(map(_is_here, sys.path)):
        yield
        return
    sys.path.append(here := os.getcwd())
    try:
        yield
    finally:
        sys.path[:] = [place for place in sys.path if place != here]


def networks_in(name: str) -> list[str]:
    """The names of the networks in one name, which are taken as one."""
    return name.split(TOGETHER)


def runs_code(name: str) -> bool:
    """Whether one of the networks in a name is code, a command, an address, or a model of a hub."""
    return any(":" in one and not one.startswith("timm:") for one in networks_in(name))


def _is_here(place: str) -> bool:
    try:
        return os.path.samefile(place or os.curdir, os.curdir)
    except OSError:  # such as a folder that is no more
        return False
