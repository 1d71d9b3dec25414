"""Work in threads beside the network: reading before it runs, drawing and writing after it."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

PIXELS = 2**24  # that pictures at full size may have together in memory, which is 200 MB
WORKERS = min(4, os.cpu_count() or 1)

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_threads(
    function: Callable[[Given], Made],
    items: Iterable[Given],
    workers: int,
    *,
    here: Callable[[Given], bool] = lambda item: False,
    waiting: "deque[tuple[Given, Future[Made]]] | None" = None,
    ahead: Callable[[], int] | None = None,
) -> Iterator[tuple[Given, "Future[Made]"]]:
    """Apply a function to items in threads, and yield each item with its future, in order.

    Items are taken one by one in the caller's thread, at most ``workers`` before they are due, or as many as ``ahead``
    says, where it is less, since large ones must not come together. Those for which
    ``here`` is true are worked on in the caller's thread too, where Ctrl-C interrupts them. ``waiting`` holds what is
    not yielded yet, so that the caller can see after an interruption what was left.
    """
    pool = ThreadPoolExecutor(workers)
    waiting = deque() if waiting is None else waiting
    try:
        for item in items:
            waiting.append((item, _at_once(function, item) if here(item) else pool.submit(function, item)))
            most = workers if ahead is None else min(workers, ahead())
            while len(waiting) > most or (waiting and waiting[0][1].done()):
                yield waiting[0]
                waiting.popleft()
        while waiting:
            yield waiting[0]
            waiting.popleft()
    except BaseException:
        # After Ctrl-C or an error no work is begun, and the work that is under way ends.
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def _at_once(function: Callable[[Given], Made], item: Given) -> "Future[Made]":
    future: Future[Made] = Future()
    try:
        future.set_result(function(item))
    except Exception as error:
        future.set_exception(error)
    return future
