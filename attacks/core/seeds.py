"""Random numbers that belong to a sample, not to the batch that it happens to be in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ..errors import AttackError
from .active_batch import State

Seed = int | Sequence[int] | Tensor | torch.Generator


@dataclass
class Noise(State):
    """A random number generator for each of n samples; what a sample draws does not depend on its neighbours.

    A generator is stored as its seed and the number of draws so far, so that samples can be separated and joined.
    """

    seeds: Tensor  # (n,), always on the CPU, as the next one
    drawn: Tensor  # (n,) how often each sample has drawn
    generator: torch.Generator | None = None  # draws for the whole batch instead

    @classmethod
    def of(cls, seed: Seed, images: Tensor) -> Self:
        """The noise of samples (N, ...).

        With one seed each sample draws numbers of its own, which follow from the seed and the sample's values, whatever
        batch it is in; N seeds start each sample at its own. A generator draws for the whole batch at once: fast, as
        training needs it, but what a sample gets then depends on its batch.
        """
        count, generator = len(images), seed if isinstance(seed, torch.Generator) else None
        if generator is not None:
            seeds = torch.zeros(count, dtype=torch.int64)
        elif isinstance(seed, int):
            seeds = _hashed(images) + seed
        else:
            seeds = torch.as_tensor(seed, dtype=torch.int64).cpu()
        if seeds.shape != (count,):
            raise AttackError(f"{count} samples need one seed, or {count}, not {tuple(seeds.shape)}")
        return cls(seeds, torch.zeros(count, dtype=torch.int64), generator)

    def uniform(self, *shape: int, like: Tensor) -> Tensor:
        """(n, *shape) numbers from [0, 1), of the type and on the device of ``like``."""
        return self._draw(torch.rand, shape, like)

    def normal(self, *shape: int, like: Tensor) -> Tensor:
        """(n, *shape) numbers of the standard normal distribution, of the type and on the device of ``like``."""
        return self._draw(torch.randn, shape, like)

    def _draw(self, sampler: Callable[..., Tensor], shape: tuple[int, ...], like: Tensor) -> Tensor:
        if self.generator is not None:
            return sampler(len(self), *shape, generator=self.generator, device=self.generator.device).to(like)
        draws, generator = torch.empty(len(self), *shape), torch.Generator()  # single precision, whatever the type
        for draw, seed, drawn in zip(draws, self.seeds.tolist(), self.drawn.tolist(), strict=True):
            # A prime apart: the second draw of one sample must not be the first one of its neighbour.
            sampler(shape, generator=generator.manual_seed((seed * 1_000_003 + drawn) % 2**63), out=draw)
        self.drawn = self.drawn + 1
        return draws.to(like)

    def __getitem__(self, chosen: Tensor) -> Self:
        return super().__getitem__(chosen.cpu())

    def __setitem__(self, chosen: Tensor, other: Self) -> None:
        super().__setitem__(chosen.cpu(), other)


def seeds_of(seed: Seed, images: Tensor) -> Tensor:
    """(N,) a seed for each of the samples, for several searches on some of them; those of a generator are drawn."""
    if isinstance(seed, torch.Generator):
        return torch.randint(2**40, images.shape[:1], generator=seed, device=seed.device).cpu()
    return Noise.of(seed, images).seeds


def _hashed(images: Tensor) -> Tensor:
    """(N,) numbers on the CPU that follow from the values of each sample, the same on every device."""
    bits = images.detach().flatten(1).float().contiguous().view(torch.int32).long()
    # Odd multiples of the golden ratio's bits, modulo 2**64; generators look at the lower half alone.
    places = torch.arange(1, 2 * bits.shape[1], 2, device=bits.device) * -0x61C8864680B583EB
    hashes = (bits * places).sum(1)
    return (hashes ^ (hashes >> 32)).cpu() % 2**40
