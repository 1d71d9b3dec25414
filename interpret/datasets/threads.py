"""Work that threads do beside the network: reading before it, drawing and writing behind it."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

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
) -> Iterator[tuple[Given, "Future[Made]"]]:
    """Apply a function to items in threads, a few items ahead of whoever asks for the results.

    Args:
        function: what is done with each item; it must not touch what the caller's thread works on.
        items: taken one by one in the caller's thread, never more than ``workers`` before they are due.
        workers: how many threads.
        here: what is done in the caller's thread after all, where Ctrl-C interrupts it.
        waiting: holds what is not yielded yet, for whoever wants to know after an interruption.

    Yields:
        Each item, in order, and its future, which is done or will be: ``result()`` waits, and raises what
        the function raised.
    """
    pool = ThreadPoolExecutor(workers)
    waiting = deque() if waiting is None else waiting
    try:
        for item in items:
            waiting.append((item, _at_once(function, item) if here(item) else pool.submit(function, item)))
            while len(waiting) > workers or (waiting and waiting[0][1].done()):
                yield waiting[0]
                waiting.popleft()
        while waiting:
            yield waiting[0]
            waiting.popleft()
    except BaseException:
        # After Ctrl-C or an error nothing new is begun, and what is half done comes to its end.
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
