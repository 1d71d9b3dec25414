"""The batch of samples that an attack works on: finished ones leave it, and waiting ones take their places."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor


@dataclass
class State:
    """A record of n samples: fields that are tensors, or records themselves, have n as their first dimension.

    Other fields hold one value for all samples.
    """

    def __len__(self) -> int:
        return len(next(self._per_sample())[1])

    def __getitem__(self, chosen: Tensor) -> Self:
        """The samples of a mask (n,), or of indices."""
        return replace(self, **{name: value[chosen] for name, value in self._per_sample()})

    def __setitem__(self, chosen: Tensor, other: Self) -> None:
        """Replace the samples of a mask (n,) by those of another record."""
        for name, value in self._per_sample():
            if isinstance(value, State):
                value[chosen] = getattr(other, name)
            else:  # not in place: two fields may share one tensor
                setattr(self, name, value.index_put((chosen,), getattr(other, name)))

    def joined(self, other: Self) -> Self:
        """These samples, followed by those of another record."""
        joined = {}
        for name, value in self._per_sample():
            theirs = getattr(other, name)
            joined[name] = torch.cat([value, theirs]) if isinstance(value, Tensor) else value.joined(theirs)
        return replace(self, **joined)

    def _per_sample(self) -> Iterator[tuple[str, Any]]:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return ((name, value) for name, value in values if isinstance(value, Tensor | State))


class Search(Protocol):
    """An attack that proceeds in steps, each on all active samples."""

    def begin(self, samples: Any) -> Any:
        """The state before the first step; it has a field ``result`` (n, ...)."""

    def step(self, state: Any) -> Tensor:
        """Change the state by one step; (n,) booleans say for which samples ``result`` is final."""


def run_until_done(search: Search, samples: State, *, batch_size: int | None = None) -> Tensor:
    """(N, ...) the results of a search on N samples, of which at most ``batch_size`` (default: all) are active."""
    # Tensors made in inference mode could not be differentiated through; copies made outside of it can.
    with torch.inference_mode(False), torch.no_grad():
        width = batch_size or max(len(samples), 1)
        numbers, waiting = torch.arange(len(samples)).tensor_split([width])
        state = search.begin(samples[numbers])
        results = state.result.new_empty(len(samples), *state.result.shape[1:])
        while len(numbers):
            done = search.step(state)
            if not done.any():
                continue
            left = done.cpu()
            results[numbers[left]] = state.result[done]
            state, numbers = state[~done], numbers[~left]
            if len(waiting):
                fresh, waiting = waiting.tensor_split([width - len(numbers)])
                state, numbers = state.joined(search.begin(samples[fresh])), torch.cat([numbers, fresh])
        return results
