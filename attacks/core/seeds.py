"""Random numbers that belong to a sample, not to the batch it happens to be in."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import AttackError
from .active_batch import Rows

Seed = int | Sequence[int] | Tensor | torch.Generator


class Noise(Rows):
    """A generator for each of n samples; what a sample draws does not depend on its neighbours.

    The state is a seed and how often was drawn, so that samples can be taken apart and put together.
    """

    @classmethod
    def of(cls, seed: Seed, count: int) -> "Noise":
        """Generators for ``count`` samples.

        Args:
            seed: one number, which every sample starts from, whatever batch it is in; or one for
                each sample; or a generator, which draws for the whole batch at once: quick, as
                training needs it, but what a sample gets depends on its batch.
            count: how many samples.

        Returns:
            The noise.

        Raises:
            AttackError: as many seeds as samples were not given.
        """
        generator = seed if isinstance(seed, torch.Generator) else None
        if isinstance(seed, int) or generator is not None:
            seeds = torch.full((count,), seed if generator is None else 0)
        else:
            seeds = torch.as_tensor(seed, dtype=torch.int64).cpu()
            if seeds.shape != (count,):
                raise AttackError(f"{count} samples need one seed, or {count}, not {tuple(seeds.shape)}")
        return cls(seeds=seeds, drawn=torch.zeros(count, dtype=torch.int64), generator=generator)

    def uniform(self, *shape: int, like: Tensor, chosen: Tensor | None = None) -> Tensor:
        """(n, *shape) numbers from [0, 1), of the type and on the device of ``like``; for the chosen samples alone."""
        return self._drawn(torch.rand, shape, like, chosen)

    def normal(self, *shape: int, like: Tensor, chosen: Tensor | None = None) -> Tensor:
        """(n, *shape) numbers from the standard normal distribution; else as ``uniform``."""
        return self._drawn(torch.randn, shape, like, chosen)

    def _drawn(self, draw: object, shape: tuple[int, ...], like: Tensor, chosen: Tensor | None) -> Tensor:
        if self.generator is not None:
            count = len(self) if chosen is None else int(chosen.sum())
            return draw(count, *shape, generator=self.generator, device=self.generator.device).to(like)
        rows = range(len(self)) if chosen is None else chosen.nonzero().flatten().tolist()
        made = []
        same: dict[tuple[int, int], Tensor] = {}  # with one seed for all, one draw serves all
        for row in rows:
            key = int(self.seeds[row]), int(self.drawn[row])
            if key not in same:
                # A prime apart: one sample's second draw must not be its neighbour's first.
                generator = torch.Generator().manual_seed((key[0] * 1_000_003 + key[1]) % 2**63)
                same[key] = draw(shape, generator=generator)  # in single precision, the same for every type
            made.append(same[key])
            self.drawn[row] += 1
        drawn = torch.stack(made) if made else torch.empty(0, *shape)
        return drawn.to(like)

    def __getitem__(self, chosen: Tensor) -> "Noise":
        return super().__getitem__(chosen.cpu())
