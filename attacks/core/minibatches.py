"""Many samples, of which each step looks at a few, for what is optimised over all of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import AttackError
from .active_batch import State
from .seeds import Noise


@dataclass
class SharedSamples(State):
    """The samples that one perturbation, or one patch, is made for."""

    images: Tensor  # (N, ...)
    labels: Tensor  # (N,) the true classes, or the targets
    noise: Noise

    def minibatches(self, size: int, steps: int) -> Iterator[Tensor]:
        """For each step the numbers (size,) of samples, or (N,) where there are fewer; shuffled anew in each round."""
        count = len(self)
        if count < 1 or size < 1 or steps < 1:
            raise AttackError(f"steps, pictures and pictures a step are 1 or more, not {steps}, {count} and {size}")
        generator = torch.Generator().manual_seed(int(self.noise.seeds.sum()) % 2**63)
        waiting = torch.empty(0, dtype=torch.long)
        for _ in range(steps):
            if len(waiting) < min(size, count):
                waiting = torch.randperm(count, generator=generator)
            yield waiting[:size]
            waiting = waiting[size:]

    def parts(self, numbers: Tensor, batch_size: int | None) -> Iterator["SharedSamples"]:
        """The samples of these numbers, at most ``batch_size`` at a time; their draws count for the next time."""
        for part in numbers.split(batch_size or len(numbers)):
            chosen = self[part]
            yield chosen
            self.noise[part] = chosen.noise
