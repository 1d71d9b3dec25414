"""What the two evaluations of explanations share: which methods, within which budget, on which pictures."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import click

from interpret.explainers import EXPLAINERS

from ...job.sources import Source
from ...options.group import group
from ...options.pictures import limit_option, seed_option
from ...options.types import Names


@dataclass(frozen=True)
class MethodOptions:
    """The explainers to evaluate, and how much of it."""

    methods: list[str]
    budget: int
    limit: int | None
    seed: int

    def drawn(self, sources: Sequence[Source]) -> list[Source]:
        """So many of the pictures, in random order, so that those a budget leaves are no special ones."""
        return random.Random(self.seed).sample(sources, min(self.limit or len(sources), len(sources)))


method_options = group(
    "methods",
    MethodOptions,
    click.option(
        "--methods",
        type=Names(EXPLAINERS, "method"),
        default="all",
        show_default=True,
        metavar="NAME,NAME",
        help="The explainers to look at; `interp methods` lists them.",
    ),
    click.option(
        "--budget",
        type=click.IntRange(1),
        default=10000,
        show_default=True,
        metavar="PASSES",
        help="Passes through the network that a method may take for its maps. What needs many for each picture, "
        "as Score-CAM and RISE do, is looked at on fewer pictures, and the table says on how many.",
    ),
    limit_option,
    seed_option,
)
