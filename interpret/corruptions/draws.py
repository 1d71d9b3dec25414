"""Random numbers of a corruption, which belong to a picture and not to its batch."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


class Draws:
    """A random number generator for each picture of a batch; each draw is (N, *shape), on the CPU."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self.generators = [torch.Generator().manual_seed(int(seed) % 2**63) for seed in seeds]

    def normal(self, *shape: int) -> Tensor:
        """Of the standard normal distribution."""
        return self._each(lambda generator: torch.randn(shape, generator=generator))

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """From [low, high)."""
        return low + (high - low) * self._each(lambda generator: torch.rand(shape, generator=generator))

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """From low to high - 1."""
        return self._each(lambda generator: torch.randint(low, high, shape, generator=generator))

    def poisson(self, rates: Tensor) -> Tensor:
        """Of the Poisson distribution with rates (N, ...)."""
        pairs = zip(rates.cpu(), self.generators, strict=True)
        return torch.stack([torch.poisson(rate, generator=generator) for rate, generator in pairs])

    def _each(self, draw: Callable[[torch.Generator], Any]) -> Tensor:
        return torch.stack([draw(generator) for generator in self.generators])
