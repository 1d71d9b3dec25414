"""Attributions as pictures: colour maps, overlays, figures; the only place that rescales a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import InterpretError
from .colours import colorize, colour_steps, colour_table, strengths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R 601
UNSEEN = (0.42, 0.52)  # how bright the hatching leaves what the network never saw


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
    values = np.nan_to_num(_photo(attribution))
    return _to_pil(_hatched(0.5 + 0.5 * values / (limit or 1), seen))


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
    values, limit, negative = _prepared(attribution, limit)
    signed = negative if signed is None else signed
    return _to_pil(_hatched(colorize(values, limit=limit, signed=signed), seen))


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
    values, limit, negative = _prepared(attribution, limit)
    signed = negative if signed is None else signed
    photo = _photo(image)
    if photo.shape[:2] != values.shape:
        raise InterpretError(f"a map of {values.shape} does not lie on a picture of {photo.shape[:2]}")
    grey = photo @ GREY
    base = 0.35 * photo + 0.65 * grey[..., None]
    steps = colour_steps(values, limit, signed)
    alpha = strengths(signed)
    blended = base * (1 - alpha)[steps] + (alpha * colour_table(signed))[steps]
    return _to_pil(_hatched(blended, seen))


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
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.figure import Figure

    height, width = attribution.shape[-2:]
    figure = Figure(figsize=(9, 0.6 + 4 * min(max(height / width, 0.4), 1.6)), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(_photo(image))
    for axes, text in ((left, title), (right, caption)):
        axes.set_title(text, fontsize=11, loc="left")
        axes.set_axis_off()
    if attribution.shape[-3] == 3:
        right.imshow(own_colours(attribution, limit=limit, seen=seen))
        return figure
    values, limit, signed = _prepared(attribution, limit)
    right.imshow(overlay(image, attribution, limit=limit, seen=seen))
    colours = LinearSegmentedColormap.from_list("map", colour_table(signed))
    scale = Normalize(-limit if signed else 0, limit or 1)
    figure.colorbar(ScalarMappable(scale, colours), ax=right, fraction=0.045, label=unit)
    return figure


def _prepared(attribution: Tensor, limit: float | None) -> tuple[np.ndarray, float, bool]:
    """The (H, W) values of one map, its limit, and whether it needs colours around zero."""
    flat = attribution.detach().float().cpu()
    if flat.dim() > 2 and flat.numel() != flat.shape[-1] * flat.shape[-2]:
        raise InterpretError(f"draw one map with one channel at a time, not {tuple(flat.shape)}")
    values = flat.reshape(flat.shape[-2:]).numpy()
    limit = limit_of(attribution) if limit is None else limit
    # What rounding leaves below zero has no colour of its own.
    return values, limit, bool((values < -1e-3 * limit).any())


def _photo(image: Tensor) -> np.ndarray:
    photo = image.detach().float().cpu().reshape(image.shape[-3:]).permute(1, 2, 0).numpy()
    return np.repeat(photo, 3, 2) if photo.shape[2] == 1 else photo


def _hatched(colours: np.ndarray, seen: Tensor | None) -> np.ndarray:
    """Darken what the network never saw under diagonal lines, so that it cannot pass for a cold place."""
    if seen is None or bool(seen.all()):
        return colours
    height, width = colours.shape[:2]
    period = max(6, round(min(height, width) / 40))
    diagonal = np.arange(height, dtype=np.int32)[:, None] + np.arange(width, dtype=np.int32)
    shades = np.where(np.arange(height + width) % period < max(1, period // 4), *UNSEEN[::-1]).astype(np.float32)
    grey = colours @ np.full(3, 1 / 3, dtype=np.float32)
    return np.where(seen.cpu().numpy()[..., None], colours, (grey * shades[diagonal])[..., None])


def _to_pil(colours: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8))
