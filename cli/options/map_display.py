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
        "The colours of maps, by their name in matplotlib, such as viridis; for maps with negative values one whose "
        "middle is grey or white, such as RdBu_r; or one for each of the two kinds: viridis,RdBu_r.",
        default="",
        show_default=False,
        type=Colormaps(),
        metavar="NAMES",
    )


def opacity_option() -> Any:
    """Of maps over pictures."""
    return option("How opaque the strongest colour is over the picture.", default=0.72, type=Number(ABOVE_0, 1.0))


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
        "Draw the map over the picture, the map alone, or both beside each other with a bar of the colours in the "
        "map's own unit."
    )
    scale: str | float = option(
        "The value that gets the strongest colour: each picture's own largest, one for all pictures "
        "(which are then all kept in memory), or a number.",
        default="each",
        type=ScaleType(),
        metavar="each|shared|NUMBER",
    )
    percentile: float = option(
        "Which percentile of the values' sizes gets the strongest colour; below 100, outliers do not set the scale.",
        type=Number(ABOVE_0, 100.0),
    )
    aggregate: Literal["max", "sum", "mean", "colours"] = option(
        "What is drawn of a pixel's three channels: the largest, their sum or their mean; or colours around grey."
    )
    signed: bool = option(
        "Draw what speaks against the class in blue and what speaks for it in red, or draw sizes alone.",
        "--signed/--absolute",
        default=True,
    )
    blur: float = option(
        "How far what is drawn is blurred, as a share of the shorter side, so that single bright pixels are seen; the "
        "numbers in files are not.",
        type=Number(0.0, 0.2),
    )
    colormap: list[str] = colormap_option()
    opacity: float = opacity_option()
    caption: bool = option("Write the method, the class with its probability, and the largest value below the picture.")

    def of(self, method: str) -> "Display":
        """What draws the maps of a method."""
        from interpret.figures.display import Display

        own = {name: value for name, value in vars(self).items() if name != "caption"}
        return Display.of(method, **{**own, "colormap": tuple(self.colormap)})
