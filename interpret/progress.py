"""The progress bar of long work, and a block in which there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tqdm import tqdm

_wanted = ContextVar("progress bars are wanted", default=True)


def bars_wanted() -> bool:
    """Whether this code runs outside of every block without progress bars."""
    return _wanted.get()


def progress_bar(total: int, what: str, unit: str) -> tqdm:
    """A bar that the caller updates; on a terminal it appears after a second."""
    hidden = None if bars_wanted() else True  # None leaves it to the terminal
    return tqdm(total=total, desc=what, unit=unit, leave=False, delay=1, disable=hidden)


@contextmanager
def without_bars() -> Iterator[None]:
    """Show no progress bar inside the block."""
    before = _wanted.set(False)
    try:
        yield
    finally:
        _wanted.reset(before)
