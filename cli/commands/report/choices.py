"""The options of `interp report` as a record."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportChoices:
    """What is looked for in each picture."""

    methods: list[str]
    classes: tuple[str, ...]
    attack: bool
    sanity: bool
    seed: int
