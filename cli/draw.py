"""How a map becomes a picture: the options that every explainer has for it, and the drawing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError
from interpret.explainers import DRAWINGS, EXPLAINERS

from . import options

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image
    from torch import Tensor

VIEWS = ("overlay", "heatmap", "side-by-side")


def drawing_options(method: str) -> Any:
    """The options for drawing, with a method's own defaults."""
    default = DRAWINGS[EXPLAINERS[method]]
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
            default=not default["absolute"],
            show_default=True,
            help="Blue against the class and red for it, or sizes alone.",
        ),
    )


@dataclass(frozen=True)
class Drawing:
    """The choices for drawing the maps of one run."""

    view: str
    scale: str | float  # "each", "shared" or the value that gets the strongest colour
    percentile: float
    aggregate: str
    signed: bool

    @classmethod
    def taken_from(cls, settings: dict[str, Any]) -> "Drawing":
        """The choices among a command's parameters, which are taken out of it."""
        chosen = {name: settings.pop(name) for name in ("view", "scale", "percentile", "aggregate", "signed")}
        return cls(**{**chosen, "scale": _scale(chosen["scale"])})

    def values(self, attribution: "Tensor") -> "Tensor":
        """What is drawn of an attribution (1, C, H, W): one value a pixel, or the colours."""
        from interpret.explainers.aggregation import combined

        if self.aggregate == "colours" and attribution.shape[1] == 3:
            return attribution
        how = "sum" if self.aggregate == "colours" else self.aggregate
        return combined(attribution, how, absolute=not self.signed)

    def limit(self, *attributions: tuple["Tensor", "Tensor"]) -> float:
        """The value that gets the strongest colour, one for all of these attributions where the network saw."""
        from interpret.figures.display import limit_of

        if isinstance(self.scale, float):
            return self.scale
        seen_values = (self.values(attribution)[..., seen] for attribution, seen in attributions)
        return limit_of(*seen_values, percentile=self.percentile)

    def draw(
        self, image: "Tensor", values: "Tensor", seen: "Tensor", limit: float, words: dict[str, str]
    ) -> "Image | Figure":
        """The picture or figure of the ``values`` of one attribution; ``words`` are its title, caption and unit."""
        from interpret.figures import display as figures

        if self.view == "side-by-side":
            return figures.side_by_side(image, values, limit=limit, seen=seen, **words)
        if values.shape[1] == 3:
            return figures.own_colours(values, limit=limit, seen=seen)
        if self.view == "heatmap":
            return figures.heatmap(values, limit=limit, seen=seen)
        return figures.overlay(image, values, limit=limit, seen=seen)


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
