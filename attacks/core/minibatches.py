"""A few pictures at each step, for what is optimised over many."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..errors import AttackError


def minibatches(count: int, size: int, steps: int, generator: torch.Generator) -> Iterator[Tensor]:
    """(size,) numbers of pictures, or (count,) where there are fewer, for each step; shuffled anew each time round.

    Raises:
        AttackError: no pictures, no step, or none at a step.
    """
    if count < 1 or size < 1 or steps < 1:
        raise AttackError(f"steps, pictures and pictures a step are 1 or more, not {steps}, {count} and {size}")
    waiting = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(waiting) < min(size, count):
            waiting = torch.randperm(count, generator=generator)
        yield waiting[:size]
        waiting = waiting[size:]
