"""How maps look: the options that every explainer has for it, with its own defaults."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import click

from interpret.bounds import ABOVE_0
from interpret.errors import InterpretError

from .numbers import Number
from .record import option

if TYPE_CHECKING:
    from interpret.figures.display import Display


class ScaleType(click.ParamType):
    """The value that gets the strongest colour: each, shared, or a number above 0."""

    name = "scale"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str | float:
        """One of the two words, or the number."""
        if value in ("each", "shared"):
            return str(value)
        try:
            number = float(str(value))
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            raise InterpretError(f"--scale is each, shared or a number above 0, not {value!r}")
        return number


@dataclass(frozen=True)
class DisplayOptions:
    """How the maps of one run look; the defaults of what is not named here are each method's own."""

    view: Literal["overlay", "heatmap", "side-by-side"] = option(
        "The map over the picture, the map alone, or both with a colour bar in the map's own units."
    )
    scale: str | float = option(
        "The value that gets the strongest colour: each picture's own largest, one for all pictures "
        "(which are then all kept in memory), or a number.",
        default="each",
        type=ScaleType(),
        metavar="each|shared|NUMBER",
    )
    percentile: float = option(
        "Of the values' sizes, what counts as the largest: below 100 a few outliers saturate.",
        type=Number(ABOVE_0, 100.0),
    )
    aggregate: Literal["max", "sum", "mean", "colours"] = option(
        "One value a pixel: the channels' largest, sum or mean; or their own colours around grey."
    )
    signed: bool = option("Blue against the class and red for it, or sizes alone.", "--signed/--absolute", default=True)

    @property
    def display(self) -> "Display":
        """What draws them."""
        from interpret.figures.display import Display

        return Display(**asdict(self))
