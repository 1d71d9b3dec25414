"""How maps look: the options that every explainer has for it, with its own defaults."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from interpret.errors import InterpretError
from interpret.explainers import DISPLAYS, EXPLAINERS

from .group import group

if TYPE_CHECKING:
    from interpret.figures.display import Display

VIEWS = ("overlay", "heatmap", "side-by-side")


@dataclass(frozen=True)
class DisplayOptions:
    """How the maps of one run look."""

    view: str
    scale: str | float
    percentile: float
    aggregate: str
    signed: bool

    @property
    def display(self) -> "Display":
        """What draws them."""
        from interpret.figures.display import Display

        return Display(**asdict(self))


class Scale(click.ParamType):
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


def display_options(method: str) -> Callable:
    """The options for a method's maps, whose defaults are its own."""
    default = DISPLAYS[EXPLAINERS[method]]
    return group(
        "display",
        DisplayOptions,
        click.option(
            "--view",
            type=click.Choice(VIEWS),
            default=default["view"],
            show_default=True,
            help="The map over the picture, the map alone, or both with a colour bar in the map's own units.",
        ),
        click.option(
            "--scale",
            type=Scale(),
            default="each",
            show_default=True,
            metavar="each|shared|NUMBER",
            help="The value that gets the strongest colour: each picture's own largest, one for all pictures "
            "(which are then all kept in memory), or a number.",
        ),
        click.option(
            "--percentile",
            type=click.FloatRange(0, 100, min_open=True),
            default=default["percentile"],
            show_default=True,
            help="Of the values' sizes, what counts as the largest: below 100 a few outliers saturate.",
        ),
        click.option(
            "--aggregate",
            type=click.Choice(["max", "sum", "mean", "colours"]),
            default=default["aggregate"],
            show_default=True,
            help="One value a pixel: the channels' largest, sum or mean; or their own colours around grey.",
        ),
        click.option(
            "--signed/--absolute",
            "signed",
            default=default["signed"],
            show_default=True,
            help="Blue against the class and red for it, or sizes alone.",
        ),
    )
