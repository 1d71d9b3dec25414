"""How maps look: the options that every explainer has for it, with its own defaults."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from interpret.bounds import ABOVE_0
from interpret.errors import InterpretError

from .numbers import Number
from .record import option
from .types import WORDS

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


def colormap_option() -> Any:
    """Other colours."""
    return option(
        "Of matplotlib, such as viridis, or RdBu_r for maps with negative values, where zero has to be grey; or one "
        "for each kind: viridis,RdBu_r.",
        default="",
        show_default=False,
        type=Colormaps(),
        metavar="NAMES",
    )


def opacity_option() -> Any:
    """Of maps over pictures."""
    return option("Of the strongest colour over the picture.", default=0.72, type=Number(ABOVE_0, 1.0))


class Colormaps(click.ParamType):
    """Names of matplotlib's colormaps with commas between them, which are looked up at once."""

    name = "colormaps"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """The names."""
        names = WORDS.convert(value, param, ctx)
        if names:
            from interpret.figures.colours import colours_of

            colours_of(names)
        return names


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
    blur: float = option(
        "Of what is drawn, as a share of the shorter side, so that single bright pixels are seen; the numbers stay.",
        type=Number(0.0, 0.2),
    )
    colormap: list[str] = colormap_option()
    opacity: float = opacity_option()
    caption: bool = option("Write method, class, probability and largest value below the picture.")

    def of(self, method: str) -> "Display":
        """What draws the maps of a method."""
        from interpret.figures.display import Display

        own = {name: value for name, value in vars(self).items() if name != "caption"}
        return Display.of(method, **{**own, "colormap": tuple(self.colormap)})
