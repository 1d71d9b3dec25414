"""The progress bar of long work, a block in which there is none, and one that is told of all progress instead."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tqdm import tqdm

Watch = Callable[[str, int, int], object]

_wanted = ContextVar("progress bars are wanted", default=True)
_watch: ContextVar[Watch | None] = ContextVar("what is told of progress", default=None)


def bars_wanted() -> bool:
    """Whether this code runs outside of every block without progress bars."""
    return _wanted.get()


def progress_bar(total: int, what: str | None, unit: str, *, wanted: bool = True, delay: float = 1) -> tqdm:
    """A bar that the caller updates; on a terminal and in a notebook it appears after a delay in seconds, if wanted."""
    wanted = wanted and bars_wanted()
    watch = _watch.get()
    if watch is not None:
        return _Watched(watch if wanted else lambda *progress: watch("", 0, 0), total, what or f"{unit}s")
    hidden = (False if _in_notebook() else None) if wanted else True  # None shows it on a terminal alone
    return tqdm(total=total, desc=what, unit=unit, leave=False, delay=delay, disable=hidden)


class _Watched(tqdm):
    """A bar that shows nothing, and tells of its progress."""

    def __init__(self, watch: Watch, total: int, what: str) -> None:
        super().__init__(total=total, disable=True)
        self.watch, self.what = watch, what
        self.update(0)

    def set_description(self, desc: str | None = None, refresh: bool | None = True) -> None:
        self.what = desc or ""

    def update(self, n: float | None = 1) -> None:
        self.n += n
        self.watch(self.what, self.n, self.total)


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


@contextmanager
def watched_bars(watch: Watch) -> Iterator[None]:
    """A block whose progress bars are not shown: ``watch`` is told what is done, how much of it, and of how much.

    An exception that it raises ends the work. Of bars that nobody wants, such as those inside of another's step, it
    is told "", 0 and 0.
    """
    before = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(before)
