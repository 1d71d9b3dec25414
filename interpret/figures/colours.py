"""The colours of maps: which colour a value gets, and how opaque it is over a picture."""

import functools
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

# Red, green and blue at equal steps. The first becomes lighter evenly, so that it can be read in grey too; the second
# is light in the middle, between a blue and a red that the colour-blind can distinguish.
HEAT = "150a3c 40127a 7a1b8c b52a7b e04a4f f4772b fca50a fdd33f fff59a"
DIVERGING = "1f4fa8 3a7fc4 7fb2dc c4dcee f7f7f7 fbd3c1 f29a76 d9523f b3122b"

STEPS = 4096  # between the first colour and the last


class Scale(NamedTuple):
    """What the colours of a map mean."""

    limit: float  # the value that gets the strongest colour; 0 where every value is zero
    signed: bool  # blue below zero, white at zero and red above, instead of dark at zero to light

    @property
    def lowest(self) -> float:
        """The value that gets the first colour."""
        return -self.limit if self.signed else 0.0


def colorize(values: np.ndarray, *, limit: float, signed: bool) -> np.ndarray:
    """Colours of a map.

    Args:
        values: (H, W).
        limit: the value that gets the strongest colour; 0 draws everything as zero.
        signed: blue below zero, white at zero and red above, instead of dark at zero to light.

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    return colour_table(signed)[colour_steps(values, limit, signed)]


def colour_steps(values: np.ndarray, limit: float, signed: bool) -> np.ndarray:
    """(H, W) the number of each value's colour, from 0 to STEPS; zero has the first, or where signed the middle one."""
    share = np.nan_to_num(values / limit) if limit else np.zeros_like(values)
    return np.round(np.clip(share / 2 + 0.5 if signed else share, 0, 1) * STEPS).astype(np.int32)


@functools.cache
def colour_table(signed: bool) -> np.ndarray:
    """(STEPS + 1, 3) the colours, in float32; there are more of them than an 8-bit file distinguishes."""
    colours = np.array([list(bytes.fromhex(colour)) for colour in (DIVERGING if signed else HEAT).split()]) / 255
    steps, places = np.linspace(0, 1, len(colours)), np.linspace(0, 1, STEPS + 1)
    return np.stack([np.interp(places, steps, colours[:, c]) for c in range(3)], -1).astype(np.float32)


@functools.cache
def opacities(signed: bool) -> np.ndarray:
    """(STEPS + 1, 1) the opacity of each colour in an overlay, in float32."""
    sizes = np.abs(np.linspace(-1 if signed else 0, 1, STEPS + 1))
    return (0.72 * sizes**0.8)[:, None].astype(np.float32)


def colour_array(image: Tensor) -> np.ndarray:
    """(H, W, 3) the values, in float32, of one picture or attribution (1, 3, H, W) or (1, 1, H, W)."""
    values = image.detach().float().cpu().reshape(image.shape[-3:]).permute(1, 2, 0).numpy()
    return np.repeat(values, 3, 2) if values.shape[2] == 1 else values


def as_picture(colours: np.ndarray) -> Image.Image:
    """Colours (H, W, 3), cut at 0 and 1, as a Pillow picture."""
    return Image.fromarray((np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8))
