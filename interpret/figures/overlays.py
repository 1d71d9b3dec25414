"""Single maps as pictures: in their own colours, alone, or over the photo; the only place that rescales a map."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..bounds import bounded
from ..errors import InterpretError
from ..network.channels import LUMA
from ..strips import strips
from .colours import (
    OPACITY,
    Colours,
    Scale,
    colorize,
    colour_array,
    colours_of,
    laid_over,
    picture_in_strips,
)

GREY = np.array(LUMA, dtype=np.float32)
HATCHING = (0.52, 0.42)  # how bright what the network never saw is left, on its lines and between them
DARKEST = 0.1  # such a line of a map alone, so that it is seen on black


def limit_of(*attributions: Tensor, percentile: float = 100) -> float:
    """The value that gets the strongest colour, one for all the maps given.

    Args:
        attributions: (N, 1, H, W) or (H, W) maps.
        percentile: of the absolute values; below 100 a few outliers may saturate.

    Returns:
        A number above 0, or 0 where every map is zero.
    """
    given = [attribution.detach().float().cpu() for attribution in attributions if attribution.numel()]
    ends = [float(end) for one in given for end in one.aminmax()] if percentile == 100 else []
    if ends and np.isfinite(ends).all():  # without a copy of the maps, which may be large
        return max(map(abs, ends))
    values = torch.cat([one.abs().flatten() for one in given]) if given else torch.zeros(0)
    values = values[torch.isfinite(values)]
    if not len(values):
        return 0.0
    return float(np.percentile(values.numpy(), percentile)) or float(values.max())


def largest_of(values: Tensor) -> float:
    """The largest size of a value, 0 where none is finite."""
    ends = [abs(float(end)) for end in values.aminmax()] if values.numel() else [0.0]
    if np.isfinite(ends).all():  # without a copy of the map, which may be large
        return max(ends)
    finite = values[values.isfinite()]
    return float(finite.abs().max()) if len(finite) else 0.0


def has_negative(values: Tensor, limit: float) -> bool:
    """Whether values need colours around zero; what rounding leaves below zero has no colour of its own."""
    return bool((values < -1e-3 * limit).any())


@bounded
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
    hatched = Hatching(attribution.shape[-2:], seen)

    def drawn(rows: slice) -> np.ndarray:
        values = np.nan_to_num(colour_array(attribution[..., rows, :]))
        return hatched(0.5 + 0.5 * values / (limit or 1), rows)

    return picture_in_strips(*attribution.shape[-2:], drawn)


@bounded
def heatmap(
    attribution: Tensor,
    *,
    limit: float | None = None,
    seen: Tensor | None = None,
    signed: bool | None = None,
    colormap: str | Sequence[str] = (),
) -> Image.Image:
    """A map alone, in the colours of ``colorize``; a map with negative values is drawn around zero.

    Args:
        attribution: (1, 1, H, W) or (H, W).
        limit: the value that gets the strongest colour; by default the map's largest.
        seen: (H, W) booleans; the rest is hatched.
        signed: draw around zero, or not; by default where the map has negative values.
        colormap: as for ``colorize``.

    Returns:
        A picture of H x W pixels.
    """
    values, scale = one_map(attribution, limit, signed)
    hatched, how = Hatching(values.shape, seen, DARKEST), {**scale._asdict(), "colormap": colormap}
    return picture_in_strips(*values.shape, lambda rows: hatched(colorize(values[rows], **how), rows))


@bounded
def overlay(
    image: Tensor,
    attribution: Tensor,
    *,
    limit: float | None = None,
    seen: Tensor | None = None,
    signed: bool | None = None,
    colormap: str | Sequence[str] = (),
    opacity: float = OPACITY,
) -> Image.Image:
    """A map over its picture: the picture in grey, coloured where, and as much as, the map is not zero.

    Args:
        image: (1, 3, H, W) or (1, 1, H, W), in [0, 1], or 8-bit levels (uint8).
        attribution: (1, 1, H, W), laid on the picture.
        limit: the value that gets the strongest colour; by default the map's largest. Give several
            pictures the same one to make them comparable.
        seen: (H, W) booleans: what the network saw; the rest is hatched, not coloured.
        signed: draw around zero, or not; by default where the map has negative values.
        colormap: as for ``colorize``.
        opacity: of the strongest colour, above 0 and at most 1.

    Returns:
        A picture of H x W pixels, grey wherever the map is zero.
    """
    values, scale = one_map(attribution, limit, signed)
    if tuple(image.shape[-2:]) != values.shape:
        raise InterpretError(f"a map of {values.shape} does not lie on a picture of {tuple(image.shape[-2:])}")
    hatched, colours = Hatching(values.shape, seen), colours_of(colormap, opacity)

    def drawn(rows: slice) -> np.ndarray:
        return hatched(laid_over(_luma(image[..., rows, :]), values[rows], scale, colours), rows)

    return picture_in_strips(*values.shape, drawn)


def bar_colours(scale: Scale, colours: Colours, greys: tuple[float, float] | None = None) -> np.ndarray:
    """(256, k, 3) the colours that maps of a scale have in a picture, from the lowest value to the highest.

    Over a picture, whose darkest and lightest grey these are, they differ from the one, at the left, to the other.
    """
    values = np.linspace(scale.lowest, scale.limit, 256, dtype=np.float32)[:, None]
    if greys is None:
        return colorize(values, limit=scale.limit, signed=scale.signed, colormap=colours.colormap)
    return laid_over(np.linspace(*greys, 32, dtype=np.float32)[None], values, scale, colours)


def luma(image: Tensor) -> np.ndarray:
    """(H, W) the brightness of a picture (1, 3, H, W) or (1, 1, H, W), in float32."""
    height, width = image.shape[-2:]
    grey = np.empty((height, width), np.float32)
    for rows in strips(height, width):
        grey[rows] = _luma(image[..., rows, :])
    return grey


def _luma(image: Tensor) -> np.ndarray:
    photo = colour_array(image)
    return photo[..., 0] if image.shape[-3] == 1 else photo @ GREY


def one_map(attribution: Tensor, limit: float | None, signed: bool | None = None) -> tuple[np.ndarray, Scale]:
    """The (H, W) values of one map, and its scale."""
    flat = attribution.detach().float().cpu()
    if flat.dim() > 2 and flat.numel() != flat.shape[-1] * flat.shape[-2]:
        raise InterpretError(f"draw one map with one channel at a time, not {tuple(flat.shape)}")
    values = flat.reshape(flat.shape[-2:])
    limit = limit_of(attribution) if limit is None else limit
    return values.numpy(), Scale(limit, has_negative(values, limit) if signed is None else signed)


class Hatching:
    """Darkens what the network never saw under diagonal lines, none darker than so, so that it cannot pass for cold."""

    def __init__(self, shape: Sequence[int], seen: Tensor | None, darkest: float = 0) -> None:
        height, width = shape
        self.seen = None if seen is None or bool(seen.all()) else seen.cpu().numpy()
        self.darkest, period = darkest, max(6, round(min(height, width) / 40))
        self.lines = np.arange(height + width) % period < max(1, period // 4)

    def __call__(self, colours: np.ndarray, rows: slice) -> np.ndarray:
        """The colours (h, W, 3) of some rows, hatched."""
        if self.seen is None or (seen := self.seen[rows]).all():
            return colours
        diagonal = np.arange(rows.start, rows.stop, dtype=np.int32)[:, None] + np.arange(seen.shape[1], dtype=np.int32)
        grey = colours @ np.full(3, 1 / 3, dtype=np.float32)
        on_lines = np.maximum(grey * np.float32(HATCHING[0]), self.darkest)
        hatched = np.where(self.lines[diagonal], on_lines, grey * np.float32(HATCHING[1]))
        return np.where(seen[..., None], colours, hatched[..., None])
