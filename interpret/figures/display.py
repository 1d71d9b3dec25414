"""How maps look: what is drawn of an attribution, and in which view, alone or beside its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..explainers import DISPLAYS, EXPLAINERS
from ..explainers.aggregation import combined
from .colours import OPACITY, Scale, as_picture, colour_array, colours_of
from .overlays import bar_colours, has_negative, heatmap, limit_of, luma, one_map, overlay, own_colours
from .panels import Sheet, wrapped
from .plain_text import plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, MARGIN, GAP = 9.0, 0.1, 0.15  # inches: of all, around it, and between its pictures
BAR, NUMBERS = 0.22, 0.85  # inches: the bar's width, and what its numbers and its label take
FLATTEST, TALLEST = 0.25, 1.6  # times its width, a picture
POINTS, LINE = 11, 0.2  # of its letters, and inches from line to line


@dataclass(frozen=True, kw_only=True)
class Display:
    """How maps look."""

    view: str  # "overlay", the map over its picture; "heatmap", the map alone; or "side-by-side", with a bar
    scale: str | float = "each"  # what gets the strongest colour: each map's largest, one "shared" by all, or a number
    percentile: float  # of the sizes of the values, what counts as the largest; below 100 a few outliers saturate
    aggregate: str  # one value a pixel, the "max", "sum" or "mean" of the channels; or "colours", their own
    signed: bool  # keep the signs of the channels, or combine their sizes alone
    blur: float = 0.0  # standard deviation, as a share of the shorter side, of a blur of what is drawn
    beside: str = "overlay"  # what stands at the picture's side: the "overlay" or the "heatmap"
    colormap: tuple[str, ...] = ()  # of matplotlib, instead of our own
    opacity: float = OPACITY  # of the strongest colour over a picture

    @classmethod
    def of(cls, method: str, **changes: Any) -> Self:
        """How papers show a method's maps, except for what is given here."""
        return cls(**{**DISPLAYS[EXPLAINERS[method]], **changes})

    def values(self, attribution: Tensor) -> Tensor:
        """What is drawn of an attribution (N, C, H, W): one value a pixel, or the colours as they are."""
        if self.aggregate == "colours" and attribution.shape[1] == 3:
            return attribution
        aggregate = "sum" if self.aggregate == "colours" else self.aggregate
        return blurred(combined(attribution, aggregate, absolute=not self.signed), self.blur)

    def limit(self, *values: Tensor) -> float:
        """The value that gets the strongest colour, one for all that ``values`` gave of some attributions."""
        return limit_of(*values, percentile=self.percentile) if isinstance(self.scale, str) else self.scale

    def colour_scale(self, *values: Tensor) -> Scale:
        """The limit of some values, and whether any of them needs colours around zero."""
        limit = self.limit(*values)
        return Scale(limit, any(has_negative(one, limit) for one in values))

    def draw(
        self,
        image: Tensor,
        values: Tensor,
        *,
        limit: float,
        signed: bool | None = None,
        seen: Tensor | None = None,
        **texts: str,
    ) -> Image.Image | Figure:
        """Draw what ``values`` gave of one attribution, laid on the image (1, 3, H, W); the options are ``overlay``'s.

        The texts are the title, the caption and the unit of a figure side by side.
        """
        how = {"limit": limit, "seen": seen, "signed": signed, "colormap": self.colormap}
        if self.view == "side-by-side":
            return side_by_side(image, values, view=self.beside, opacity=self.opacity, **how, **texts)
        if values.shape[1] == 3:
            return own_colours(values, limit=limit, seen=seen)
        if self.view == "heatmap":
            return heatmap(values, **how)
        return overlay(image, values, opacity=self.opacity, **how)


def blurred(values: Tensor, share: float) -> Tensor:
    """Values (N, C, H, W) under a Gaussian blur whose deviation is a share of the shorter side; 0 leaves them alone."""
    deviation = share * min(values.shape[-2:])
    if deviation < 0.1:
        return values
    reach = max(1, round(3 * deviation))
    steps = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.softmax(-(steps**2) / (2 * deviation**2), 0)
    flat = torch.nan_to_num(values.float(), 0.0, 0.0, 0.0).cpu().flatten(0, 1)[:, None]
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode="replicate"), kernel.view(1, 1, -1, 1))
    return flat.view(values.shape)


@plain_text
def side_by_side(
    image: Tensor,
    attribution: Tensor,
    *,
    limit: float | None = None,
    seen: Tensor | None = None,
    signed: bool | None = None,
    title: str = "",
    caption: str = "",
    unit: str = "",
    view: Literal["overlay", "heatmap"] = "overlay",
    colormap: str | Sequence[str] = (),
    opacity: float = OPACITY,
) -> Figure:
    """The picture, its map, and a bar of the map's colours as they are in the picture, in the attribution's own units.

    An attribution of three channels is drawn in its own colours instead, which need no bar. Over a picture a colour
    depends on what is below it, so the bar becomes lighter, from left to right, as the picture's parts are.

    Args:
        image: (1, 3, H, W) in [0, 1].
        attribution: (1, 1, H, W) or (1, 3, H, W), laid on the picture.
        limit: the value that gets the strongest colour; by default the map's largest.
        seen: (H, W) booleans: what the network saw.
        signed: draw around zero, or not; by default where the map has negative values.
        title: above the picture, such as what the network predicts.
        caption: above the map; it may have several lines.
        unit: beside the colour bar.
        view: the map over the picture, or the map alone.
        colormap: as for ``colorize``.
        opacity: of the strongest colour, above 0 and at most 1.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    how = {"limit": limit, "seen": seen, "signed": signed, "colormap": colormap}
    if attribution.shape[-3] == 3:
        drawn, bar = own_colours(attribution, limit=limit, seen=seen), None
    else:
        scale, colours = one_map(attribution, limit, signed)[1], colours_of(colormap, opacity)
        if view == "heatmap":
            drawn, bar = heatmap(attribution, **how), (scale, bar_colours(scale, colours))
        else:
            drawn = overlay(image, attribution, opacity=opacity, **how)
            bar = scale, bar_colours(scale, colours, _greys(image, seen))
    return _figure((as_picture(colour_array(image)), drawn), (title, caption), bar, unit)


def _greys(image: Tensor, seen: Tensor | None) -> tuple[float, float]:
    """The darkest and the lightest grey of what the network sees of a picture."""
    grey = luma(image)
    grey = grey if seen is None or not seen.any() else grey[seen.cpu().numpy()]
    return float(grey.min()), float(grey.max())


def _figure(
    pictures: Sequence[Image.Image], texts: Sequence[str], bar: tuple[Scale, np.ndarray] | None, unit: str
) -> Figure:
    widest = (WIDTH - 2 * MARGIN - GAP - (GAP + BAR + NUMBERS if bar else 0)) / 2
    ratio = min(max(pictures[1].height / pictures[1].width, FLATTEST), TALLEST)
    size = widest, widest * ratio
    titles = [[line for part in text.split("\n") for line in wrapped(part, widest, POINTS)] for text in texts]
    above = MARGIN + LINE * max(map(len, titles))
    below = MARGIN + (0.14 if bar and bar[1].shape[1] > 1 else 0)
    sheet = Sheet(WIDTH, above + size[1] + below)
    for number, (picture, lines) in enumerate(zip(pictures, titles, strict=True)):
        axes = sheet.axes(MARGIN + number * (widest + GAP), size, top=above)
        axes.imshow(picture)
        axes.set_axis_off()
        axes.set_title("\n".join(lines), fontsize=POINTS, loc="left")
    if bar:
        # As high as the picture, which is flatter than its place where its shape is an extreme one.
        height = min(size[1], widest * pictures[1].height / pictures[1].width)
        place = sheet.axes(MARGIN + 2 * (widest + GAP), (BAR, height), top=above + (size[1] - height) / 2)
        draw_bar(place, *bar)
        place.set_ylabel("\n".join(wrapped(unit, height, 10)))
    return sheet.figure


def draw_bar(axes: Axes, scale: Scale, colours: np.ndarray) -> None:
    """Draw a bar (256, k, 3) as high as its axes, with the values of a scale at its right."""
    top = scale.limit or 1
    extent = 0, 1, -top if scale.signed else 0, top
    axes.imshow(colours.clip(0, 1), aspect="auto", origin="lower", extent=extent, interpolation="bilinear")
    axes.set_xticks([])
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    if colours.shape[1] > 1:
        axes.set_xlabel("dark to light", fontsize=6.5, labelpad=3)
