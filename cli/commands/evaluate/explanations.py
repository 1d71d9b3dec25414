"""What the two evaluations of explanations share: which methods, within which budget, on which pictures."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from interpret.explainers import EXPLAINERS

from ...job.sources import Source
from ...options.pictures import limit_option, seed_option
from ...options.record import option
from ...options.types import COUNT, Names


@dataclass(frozen=True)
class MethodOptions:
    """The explainers to evaluate, and how much of it."""

    methods: list[str] = option(
        "The explainers to look at; `interp methods` lists them.",
        default="all",
        type=Names(EXPLAINERS, "method"),
        metavar="NAME,NAME",
    )
    budget: int = option(
        "Passes through the network that a method may take for its maps. What needs many for each picture, "
        "as Score-CAM and RISE do, is looked at on fewer pictures, and the table says on how many.",
        default=10000,
        type=COUNT,
        metavar="PASSES",
    )
    limit: int | None = limit_option()
    seed: int = seed_option()

    def drawn(self, sources: Sequence[Source]) -> list[Source]:
        """So many of the pictures, in random order, so that those a budget leaves are no special ones."""
        return random.Random(self.seed).sample(sources, min(self.limit or len(sources), len(sources)))
