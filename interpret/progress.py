"""The progress bar of whatever takes long, and a block in which there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tqdm import tqdm

_wanted = ContextVar("progress bars are wanted", default=True)


def bars_wanted() -> bool:
    """Whether this is no block without progress bars."""
    return _wanted.get()


def progress_bar(total: int, what: str, unit: str) -> tqdm:
    """A bar to be updated, which appears after a second where there is a terminal."""
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
