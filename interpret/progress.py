"""The progress bar of long work, and a block in which there is none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tqdm import tqdm

_wanted = ContextVar("progress bars are wanted", default=True)


def bars_wanted() -> bool:
    """Whether this code runs outside of every block without progress bars."""
    return _wanted.get()


def progress_bar(total: int, what: str, unit: str) -> tqdm:
    """A bar that the caller updates; on a terminal and in a notebook it appears after a second."""
    hidden = (False if _in_notebook() else None) if bars_wanted() else True  # None shows it on a terminal alone
    return tqdm(total=total, desc=what, unit=unit, leave=False, delay=1, disable=hidden)


def _in_notebook() -> bool:
    """Whether a notebook's kernel runs this code, where bars are shown though there is no terminal."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


@contextmanager
def without_bars() -> Iterator[None]:
    """Show no progress bar inside the block."""
    before = _wanted.set(False)
    try:
        yield
    finally:
        _wanted.reset(before)
