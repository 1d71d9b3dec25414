"""Attributions as pictures: colour maps, overlays and figures; the only place that rescales a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import InterpretError
from ..explainers import DISPLAYS, EXPLAINERS
from ..explainers.aggregation import combined
from .colours import Scale, as_picture, colorize, colour_array, colour_steps, colour_table, opacities
from .panels import Panel, colour_bar, panel_figure
from .plain_text import plain_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R 601
HATCHING = (0.52, 0.42)  # how bright what the network never saw is left, on its lines and between them


@dataclass(frozen=True, kw_only=True)
class Display:
    """How maps look."""

    view: str  # "overlay", the map over its picture; "heatmap", the map alone; or "side-by-side", with a bar
    scale: str | float = "each"  # what gets the strongest colour: each map's largest, one "shared" by all, or a number
    percentile: float  # of the sizes of the values, what counts as the largest; below 100 a few outliers saturate
    aggregate: str  # one value a pixel, the "max", "sum" or "mean" of the channels; or "colours", their own
    signed: bool  # keep the signs of the channels, or combine their sizes alone

    @classmethod
    def of(cls, method: str, **changes: Any) -> Self:
        """How papers show a method's maps, except for what is given here."""
        return cls(**{**DISPLAYS[EXPLAINERS[method]], **changes})

    def values(self, attribution: Tensor) -> Tensor:
        """What is drawn of an attribution (N, C, H, W): one value a pixel, or the colours as they are."""
        if self.aggregate == "colours" and attribution.shape[1] == 3:
            return attribution
        return combined(attribution, "sum" if self.aggregate == "colours" else self.aggregate, absolute=not self.signed)

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
        if self.view == "side-by-side":
            return side_by_side(image, values, limit=limit, seen=seen, **texts)
        if values.shape[1] == 3:
            return own_colours(values, limit=limit, seen=seen)
        if self.view == "heatmap":
            return heatmap(values, limit=limit, seen=seen, signed=signed)
        return overlay(image, values, limit=limit, seen=seen, signed=signed)


def limit_of(*attributions: Tensor, percentile: float = 100) -> float:
    """The value that gets the strongest colour, one for all the maps given.

    Args:
        attributions: (N, 1, H, W) or (H, W) maps.
        percentile: of the absolute values; below 100 a few outliers may saturate.

    Returns:
        A number above 0, or 0 where every map is zero.
    """
    values = torch.cat([attribution.detach().abs().flatten().float().cpu() for attribution in attributions])
    if percentile == 100 and len(values) and bool(torch.isfinite(largest := values.max())):
        return float(largest)
    values = values[torch.isfinite(values)]
    if not len(values):
        return 0.0
    return float(np.percentile(values.numpy(), percentile)) or float(values.max())


def has_negative(values: Tensor, limit: float) -> bool:
    """Whether values need colours around zero; what rounding leaves below zero has no colour of its own."""
    return bool((values < -1e-3 * limit).any())


def own_colours(attribution: Tensor, *, limit: float | None = None, seen: Tensor | None = None) -> Image.Image:
    """An attribution of colour channels in their own colours around grey, as papers draw guided backpropagation.

    Args:
        attribution: (1, 3, H, W).
        limit: the value that gets full brightness; by default the largest.
        seen: (H, W) booleans; the rest is hatched.

    Returns:
        A picture of H x W pixels.
    """
    limit = limit_of(attribution) if limit is None else limit
    values = np.nan_to_num(colour_array(attribution))
    return as_picture(_hatched(0.5 + 0.5 * values / (limit or 1), seen))


def heatmap(
    attribution: Tensor, *, limit: float | None = None, seen: Tensor | None = None, signed: bool | None = None
) -> Image.Image:
    """A map alone, in the colours of ``colorize``; a map with negative values is drawn around zero.

    Args:
        attribution: (1, 1, H, W) or (H, W).
        limit: the value that gets the strongest colour; by default the map's largest.
        seen: (H, W) booleans; the rest is hatched.
        signed: draw around zero, or not; by default where the map has negative values.

    Returns:
        A picture of H x W pixels.
    """
    values, scale = _one_map(attribution, limit, signed)
    return as_picture(_hatched(colorize(values, limit=scale.limit, signed=scale.signed), seen))


def overlay(
    image: Tensor,
    attribution: Tensor,
    *,
    limit: float | None = None,
    seen: Tensor | None = None,
    signed: bool | None = None,
) -> Image.Image:
    """A map over its picture: the picture in grey, coloured where, and as much as, the map is not zero.

    Args:
        image: (1, 3, H, W) or (1, 1, H, W), in [0, 1].
        attribution: (1, 1, H, W), laid on the picture.
        limit: the value that gets the strongest colour; by default the map's largest. Give several
            pictures the same one to make them comparable.
        seen: (H, W) booleans: what the network saw; the rest is hatched, not coloured.
        signed: draw around zero, or not; by default where the map has negative values.

    Returns:
        A picture of H x W pixels.
    """
    values, scale = _one_map(attribution, limit, signed)
    photo = colour_array(image)
    if photo.shape[:2] != values.shape:
        raise InterpretError(f"a map of {values.shape} does not lie on a picture of {photo.shape[:2]}")
    grey = photo @ GREY
    base = 0.35 * photo + 0.65 * grey[..., None]
    steps = colour_steps(values, scale.limit, scale.signed)
    opacity = opacities(scale.signed)
    blended = base * (1 - opacity)[steps] + (opacity * colour_table(scale.signed))[steps]
    return as_picture(_hatched(blended, seen))


@plain_text
def side_by_side(
    image: Tensor,
    attribution: Tensor,
    *,
    limit: float | None = None,
    seen: Tensor | None = None,
    title: str = "",
    caption: str = "",
    unit: str = "",
) -> Figure:
    """The picture, the map over it, and a bar of its colours in the attribution's own units.

    An attribution of three channels is drawn in its own colours instead, which need no bar.

    Args:
        image: (1, 3, H, W) in [0, 1].
        attribution: (1, 1, H, W) or (1, 3, H, W), laid on the picture.
        limit: the value that gets the strongest colour; by default the map's largest.
        seen: (H, W) booleans: what the network saw.
        title: above the picture, such as what the network predicts.
        caption: above the map.
        unit: beside the colour bar.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    if coloured := attribution.shape[-3] == 3:
        drawn = own_colours(attribution, limit=limit, seen=seen)
    else:
        drawn = overlay(image, attribution, limit=limit, seen=seen)
    panels = [Panel(colour_array(image), title), Panel(drawn, caption)]
    size = 9, 0.6 + 4 * min(max(drawn.height / drawn.width, 0.4), 1.6)
    figure = panel_figure([panels], size, title={"fontsize": 11, "loc": "left"})
    if not coloured:
        colour_bar(figure, _one_map(attribution, limit)[1], unit, ax=figure.axes[1], fraction=0.045)
    return figure


def _one_map(attribution: Tensor, limit: float | None, signed: bool | None = None) -> tuple[np.ndarray, Scale]:
    """The (H, W) values of one map, and its scale."""
    flat = attribution.detach().float().cpu()
    if flat.dim() > 2 and flat.numel() != flat.shape[-1] * flat.shape[-2]:
        raise InterpretError(f"draw one map with one channel at a time, not {tuple(flat.shape)}")
    values = flat.reshape(flat.shape[-2:])
    limit = limit_of(attribution) if limit is None else limit
    return values.numpy(), Scale(limit, has_negative(values, limit) if signed is None else signed)


def _hatched(colours: np.ndarray, seen: Tensor | None) -> np.ndarray:
    """Darken what the network never saw under diagonal lines, so that it cannot pass for a cold place."""
    if seen is None or bool(seen.all()):
        return colours
    height, width = colours.shape[:2]
    period = max(6, round(min(height, width) / 40))
    diagonal = np.arange(height, dtype=np.int32)[:, None] + np.arange(width, dtype=np.int32)
    shades = np.where(np.arange(height + width) % period < max(1, period // 4), *HATCHING).astype(np.float32)
    grey = colours @ np.full(3, 1 / 3, dtype=np.float32)
    return np.where(seen.cpu().numpy()[..., None], colours, (grey * shades[diagonal])[..., None])
