"""The samples being worked on: a batch whose finished samples leave and are replaced by waiting ones."""

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor


class Rows:
    """What is known of each of n samples: attributes whose first dimension is n, and constants.

    Tensors and other rows are taken apart and put together sample by sample; the rest is the same
    for all samples.
    """

    def __init__(self, **columns: Any) -> None:
        vars(self).update(columns)

    def __len__(self) -> int:
        return next(len(column) for column in vars(self).values() if isinstance(column, Tensor | Rows))

    def __getitem__(self, chosen: Tensor) -> Self:
        """The samples of a mask (n,), or of indices."""
        return self._with({name: column[chosen] for name, column in self._columns()})

    def joined(self, other: Self) -> Self:
        """These samples, then those."""
        pairs = ((name, column, getattr(other, name)) for name, column in self._columns())
        return self._with(
            {
                name: torch.cat([mine, theirs]) if isinstance(mine, Tensor) else mine.joined(theirs)
                for name, mine, theirs in pairs
            }
        )

    def _columns(self) -> list[tuple[str, Any]]:
        return [(name, column) for name, column in vars(self).items() if isinstance(column, Tensor | Rows)]

    def _with(self, columns: dict[str, Any]) -> Self:
        made = object.__new__(type(self))
        vars(made).update({**vars(self), **columns})
        return made


def work_off(
    count: int, begin: Callable[[Tensor], Rows], step: Callable[[Rows], Tensor], *, batch_size: int | None = None
) -> Tensor:
    """Work on samples together until each is done; whoever is done makes room for the next.

    Args:
        count: how many samples there are.
        begin: takes (n,) numbers of samples and gives their rows, with a tensor ``result``.
        step: changes rows, and gives (n,) booleans: who is done, with its ``result``.
        batch_size: how many samples are worked on at a time; all of them by default.

    Returns:
        (count, ...) the results.
    """
    # Tensors made in inference mode could not be differentiated through; copies made out here can.
    with torch.inference_mode(False), torch.no_grad():
        return _work_off(count, begin, step, batch_size or max(count, 1))


def _work_off(count: int, begin: Callable[[Tensor], Rows], step: Callable[[Rows], Tensor], width: int) -> Tensor:
    waiting = torch.arange(count)
    results: Tensor | None = None
    working: Rows | None = None
    while True:
        room = width - (0 if working is None else len(working))
        if room and len(waiting):
            fresh = begin(waiting[:room])
            fresh.number = waiting[:room].to(fresh.result.device)
            waiting = waiting[room:]
            working = fresh if working is None else working.joined(fresh)
        if working is None or not len(working):
            return results if results is not None else begin(waiting).result
        done = step(working)
        if done.any():
            if results is None:
                results = working.result.new_empty(count, *working.result.shape[1:])
            results[working.number[done]] = working.result[done]
            working = working[~done]
