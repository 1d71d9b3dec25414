"""Numbers on the command line, each within its bounds."""

from typing import Any

import click

from attacks.bounds import bounds_of as attack_bounds
from interpret.bounds import ANY_SIZE, COUNT, LARGEST, SEED, Bounds, bounds_of, in_words, is_within, limits_of
from interpret.errors import shortened
from interpret.explainers import EXPLAINERS

# The bounds that help says nothing of: of what is counted, of seeds, and those of any number.
UNTOLD = (COUNT, SEED, (-COUNT[1], COUNT[1]), (-LARGEST, LARGEST))


class Number(click.ParamType):
    """A whole number or any finite one, within bounds that both belong to what is allowed."""

    def __init__(self, low: float = -LARGEST, high: float | None = None) -> None:
        high = (COUNT[1] if isinstance(low, int) else LARGEST) if high is None else high
        self.bounds: Bounds = low, high
        self.kind = click.INT if isinstance(low, int) else click.FLOAT
        self.name = self.kind.name
        self.hint = "" if self.bounds in UNTOLD else limits_of(self.bounds)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number that a text or a value of a configuration stands for."""
        if isinstance(value, bool) or (self.kind is click.INT and isinstance(value, float)):
            self.fail(f"{value!r} is not a valid {self.name}", param, ctx)
        try:
            number = self.kind.convert(value, param, ctx)
        except OverflowError:  # a whole number too large for any other
            number = float("inf")
        if not is_within(number, self.bounds):
            self.fail(f"{shortened(str(value), 30)} is not {in_words(self.bounds)}", param, ctx)
        return number


def number_of(name: str, method: str = "", *, whole: bool) -> Number:
    """The kind of a number by its name, and by the method that takes it: what is declared, or any finite one."""
    bounds = bounds_of(name, method) if method in EXPLAINERS or not method else attack_bounds(name, method)
    return Number(*(bounds or ((-COUNT[1], COUNT[1]) if whole else (-LARGEST, LARGEST))))


AT_LEAST_ZERO = Number(*ANY_SIZE)
