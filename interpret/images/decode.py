"""The content of picture files to tensors (1, 3, H, W): upright, on white, in colour."""

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from ..strips import strips
from .depth import FULL, brightness, seems_too_dark
from .libtiff import silence_libtiff

HEIC = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"))
_log = logging.getLogger(__name__)


def decode(content: bytes, name: str) -> Tensor:
    """The picture (1, 3, H, W) in a file's content; ``name`` is what a warning calls it.

    It comes as 8-bit levels (uint8), or where the file holds more as float32 in [0, 1].
    """
    if content[4:12] in HEIC:
        _read_heic_too()
    if content[:2] in (b"II", b"MM"):
        silence_libtiff()
    with _without_warnings():
        with _opened(content) as picture:
            picture.load()
            _turn_upright(picture)
            values = _values(picture, content)
            if seems_too_dark(picture, values, content):
                lightest = f"its lightest value is {values.max() * FULL:.0f} of {FULL}"
                _log.warning("%s: %s; if it holds fewer than 16 bits, scale it", name, lightest)
    return torch.from_numpy(values)[None]


def pixels_of(picture: Image.Image) -> Tensor:
    """A Pillow picture as (1, 3, H, W): 8-bit levels (uint8), or float32 in [0, 1]."""
    return torch.from_numpy(_values(picture, b""))[None]


@contextmanager
def _without_warnings() -> Iterator[None]:
    """A block without Pillow's warnings: what matters is an error, and it warns at half the size that it refuses."""
    if threading.current_thread() is not threading.main_thread():
        yield  # the filters belong to the whole process; whoever reads in threads sets them before
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _turn_upright(picture: Image.Image) -> None:
    # The EXIF may be broken, but the pixels are decoded already.
    with suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)


def _opened(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content))
    except UnidentifiedImageError:
        if content[4:12] in HEIC and "HEIF" not in Image.OPEN:
            raise ValueError("HEIC, for which the package pillow-heif is needed") from None
        raise


@cache
def _read_heic_too() -> None:
    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()


def _values(picture: Image.Image, content: bytes) -> np.ndarray:
    """(3, H, W) 8-bit levels, or float32 in [0, 1]."""
    if not picture.mode.startswith(("I", "F")):
        levels = np.empty((picture.height, picture.width, 3), np.uint8)
        for rows in strips(picture.height, picture.width):  # else there are several copies of a large one
            levels[rows] = np.asarray(opaque(picture.crop((0, rows.start, picture.width, rows.stop))))
        return levels.transpose(2, 0, 1)
    grey = brightness(np.asarray(picture), picture, content)
    if not ((grey >= 0) & (grey <= 1)).all():
        raise ValueError(f"brightness from {grey.min():.6g} to {grey.max():.6g} instead of 0 to 1")
    return np.repeat(grey[None], 3, axis=0)


def opaque(picture: Image.Image) -> Image.Image:
    """Any 8-bit picture as RGB; what is transparent lies on white."""
    if picture.mode == "LAB":  # the one mode that Pillow converts through a profile only
        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, *profiles, outputMode="RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return picture if picture.mode == "RGB" else picture.convert("RGB")
