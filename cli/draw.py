"""How maps look: the options that every explainer has for it."""

from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError
from interpret.explainers import DISPLAYS, EXPLAINERS

from . import options

if TYPE_CHECKING:
    from interpret.figures.display import Display

VIEWS = ("overlay", "heatmap", "side-by-side")


def display_options(method: str) -> Any:
    """The options for how a method's maps look, with its own defaults."""
    default = DISPLAYS[EXPLAINERS[method]]
    return options.applied(
        click.option(
            "--view",
            type=click.Choice(VIEWS),
            default=default["view"],
            show_default=True,
            help="The map over the picture, the map alone, or both with a colour bar in the map's own units.",
        ),
        click.option(
            "--scale",
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


def take_display(settings: dict[str, Any]) -> "Display":
    """The display among a command's parameters, which is taken out of them."""
    from interpret.figures.display import Display

    chosen = {name: settings.pop(name) for name in ("view", "scale", "percentile", "aggregate", "signed")}
    return Display(**{**chosen, "scale": _scale(chosen["scale"])})


def _scale(given: str) -> str | float:
    if given in ("each", "shared"):
        return given
    try:
        number = float(given)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise InterpretError(f"--scale is each, shared or a number above 0, not {given!r}")
    return number
