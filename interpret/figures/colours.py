"""The colours of maps: which colour a value gets, and how opaque it is over a picture."""

import functools
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from ..errors import InterpretError, did_you_mean
from ..images.levels import in_unit_range
from ..strips import strips

# Red, green and blue at equal steps. The first becomes lighter evenly, so that it can be read in grey too. The second
# is dark in the middle, where most pixels of most maps are, so that the few others show; the third, for maps over a
# picture, which shows through their middle, is deepest at its ends. The colour-blind can distinguish blue and red.
HEAT = "150a3c 40127a 7a1b8c b52a7b e04a4f f4772b fca50a fdd33f fff59a"
DIVERGING = "c9ecff 62b8f5 1f74c9 15366b 141414 6b1a1f c8322f ff7a55 ffd9b8"
OVER_PICTURE = "10389c 1c58c2 3a7fe0 5f9df0 808080 f4775c ea4a38 d4242a a80c22"

STEPS = 4096  # between the first colour and the last
OPACITY = 0.72  # of the strongest colour over a picture
NEUTRAL = 0.05  # how far the channels of a colour that passes for grey are apart, at most

_log = logging.getLogger(__name__)


class Scale(NamedTuple):
    """What the colours of a map mean."""

    limit: float  # the value that gets the strongest colour; 0 where every value is zero
    signed: bool  # blue below zero, dark at zero and red above, instead of dark at zero to light

    @property
    def lowest(self) -> float:
        """The value that gets the first colour."""
        return -self.limit if self.signed else 0.0


class Colours(NamedTuple):
    """Which colours maps have, and how strong they are over a picture."""

    colormap: tuple[str, ...] = ()  # of matplotlib: one for maps with negative values, one for others, or both
    opacity: float = OPACITY  # of the strongest colour


def colorize(values: np.ndarray, *, limit: float, signed: bool, colormap: str | Sequence[str] = ()) -> np.ndarray:
    """Colours of a map.

    Args:
        values: (H, W).
        limit: the value that gets the strongest colour; 0 draws everything as zero.
        signed: blue below zero, dark grey at zero and red above, instead of dark at zero to light.
        colormap: of matplotlib; where its kind is the other one, the map keeps its own colours.

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    return colour_table(signed, colours_of(colormap).colormap)[colour_steps(values, limit, signed)]


def laid_over(grey: np.ndarray, values: np.ndarray, scale: Scale, colours: Colours) -> np.ndarray:
    """(H, W, 3) the colours of a map over a picture in grey; both (H, W), or what NumPy makes of the two."""
    steps = colour_steps(values, *scale)
    opacity = colours.opacity * opacities(scale.signed)
    table = opacity * colour_table(scale.signed, colours.colormap, OVER_PICTURE)
    return grey[..., None] * (1 - opacity)[steps] + table[steps]


def colour_steps(values: np.ndarray, limit: float, signed: bool) -> np.ndarray:
    """(H, W) the number of each value's colour, from 0 to STEPS; zero has the first, or where signed the middle one."""
    share = np.nan_to_num(values / limit) if limit else np.zeros_like(values)
    return np.round(np.clip(share / 2 + 0.5 if signed else share, 0, 1) * STEPS).astype(np.int32)


@functools.cache
def colour_table(signed: bool, colormap: tuple[str, ...] = (), diverging: str = DIVERGING) -> np.ndarray:
    """(STEPS + 1, 3) the colours, in float32; there are more of them than an 8-bit file distinguishes."""
    for table in map(_of_matplotlib, colormap):
        if _is_grey_at_zero(table) == signed:
            return table
    if colormap:
        kind = "with negative values, where zero has to be grey" if signed else "without negative values"
        _log.warning("%s is not used for maps %s; they keep their own colours", " or ".join(colormap), kind)
    return _between(np.array([list(bytes.fromhex(colour)) for colour in (diverging if signed else HEAT).split()]) / 255)


def _between(colours: np.ndarray) -> np.ndarray:
    """(STEPS + 1, 3) colours on straight lines between some (n, 3)."""
    steps, places = np.linspace(0, 1, len(colours)), np.linspace(0, 1, STEPS + 1)
    return np.stack([np.interp(places, steps, colours[:, c]) for c in range(3)], -1).astype(np.float32)


def colours_of(colormap: str | Sequence[str] = (), opacity: float = OPACITY) -> Colours:
    """Colormaps, by the names of one or several, and an opacity; InterpretError says what is wrong with them."""
    if not 0 < opacity <= 1:
        raise InterpretError(f"the opacity is above 0 and at most 1, not {opacity}")
    names = (colormap,) if isinstance(colormap, str) else tuple(colormap)
    for name in names:
        _of_matplotlib(name)
    return Colours(names, opacity)


def _of_matplotlib(name: str) -> np.ndarray:
    """The table of a colormap, whose middle colour is made grey where it nearly is."""
    from matplotlib import colormaps

    if name not in colormaps:
        hint = did_you_mean(name, list(colormaps)) or "; it is one of matplotlib's, such as viridis or RdBu_r"
        raise InterpretError(f"no colormap {name!r}{hint}")
    table = _between(colormaps[name](np.linspace(0, 1, 256))[:, :3])
    if _is_grey_at_zero(table):
        table[STEPS // 2] = table[STEPS // 2].mean()
    return table


def _is_grey_at_zero(table: np.ndarray) -> bool:
    """Whether the middle colour is grey and those of the two ends are not."""
    colourfulness = np.ptp(table[[0, STEPS // 2, STEPS]], axis=1)
    return bool(colourfulness[1] < NEUTRAL < min(colourfulness[0], colourfulness[2]))


@functools.cache
def opacities(signed: bool) -> np.ndarray:
    """(STEPS + 1, 1) the opacity of each colour in an overlay, as a share of the strongest one's, in float32."""
    sizes = np.abs(np.linspace(-1 if signed else 0, 1, STEPS + 1))
    return (sizes**0.8)[:, None].astype(np.float32)


def colour_array(image: Tensor) -> np.ndarray:
    """(H, W, 3) the values, in float32, of one picture or attribution (1, 3, H, W) or (1, 1, H, W).

    Of 8-bit levels (uint8) it is the brightness that they stand for.
    """
    values = in_unit_range(image.detach().cpu()).float().reshape(image.shape[-3:]).permute(1, 2, 0).numpy()
    return np.repeat(values, 3, 2) if values.shape[2] == 1 else values


def as_picture(colours: np.ndarray) -> Image.Image:
    """Colours (H, W, 3), cut at 0 and 1, as a Pillow picture."""
    return Image.fromarray((np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8))


def picture_in_strips(height: int, width: int, colours: Callable[[slice], np.ndarray]) -> Image.Image:
    """A Pillow picture of the colours (h, W, 3) that a function gives for some rows: of a large one, a strip at a time.

    Colours take many times the memory of the picture.
    """
    picture = Image.new("RGB", (width, height))
    for rows in strips(height, width):
        picture.paste(as_picture(colours(rows)), (0, rows.start))
    return picture
