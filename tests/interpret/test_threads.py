"""Work in threads: in order, not far ahead, and over when nobody asks any more."""

import threading

import pytest

from interpret.datasets.threads import in_threads


def test_threads_keep_the_order_and_run_no_further_ahead_than_they_must():
    taken, gate = [], threading.Event()

    def items() -> object:
        for number in range(20):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        gate.wait(10)
        if number == 5:
            raise ValueError(number)
        return number**2

    pairs = in_threads(work, items(), 3)
    threading.Timer(0.05, gate.set).start()
    number, first = next(pairs)
    assert (number, first.result()) == (0, 0) and len(taken) <= 4
    rest = list(pairs)
    assert [number for number, _ in rest] == list(range(1, 20))
    assert [future.result() for number, future in rest if number != 5] == [n**2 for n in range(1, 20) if n != 5]
    with pytest.raises(ValueError, match="5"):
        rest[4][1].result()


def test_threads_end_with_whoever_asked():
    before = threading.active_count()
    pairs = in_threads(lambda number: number, iter(range(100)), 2)
    next(pairs)
    pairs.close()
    assert threading.active_count() == before
