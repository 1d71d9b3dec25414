"""Picture files to tensors (1, 3, H, W) in [0, 1], and back."""

import hashlib
import io
import logging
import os
import re
import secrets
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError
from torch import Tensor

from ..bundled import sample
from ..errors import InterpretError, PictureError, address_hint, printable
from .depth import FULL, brightness, seems_too_dark
from .levels import to_levels
from .libtiff import silence_libtiff

HEIC = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"))
_log = logging.getLogger(__name__)

File = str | os.PathLike | BinaryIO  # a path, or a file that is open for bytes
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

# What files are called while they are written: the machine, and the process, tell whether somebody is still at it.
_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
_TEMPORARY = re.compile(rf"\.interp-{_HOST}-(\d+)-[0-9a-f]{{16}}\.tmp")

# What went wrong and what to do about it, by the class of the error: the first one that fits.
_REMEDIES = (
    ((FileNotFoundError, NotADirectoryError), "does not exist; check the path"),
    (IsADirectoryError, "is a folder; name a file in it"),
    (PermissionError, "may not be opened; check its permissions"),
    (UnidentifiedImageError, "is empty, damaged or no picture of a known kind; convert it to PNG or JPEG"),
    (Image.DecompressionBombError, "is too large to be decoded ({}); scale it down first"),
    (MemoryError, "does not fit into memory; scale it down first"),
    (Exception, "is damaged, incomplete or of an unusual kind ({}); get it again or convert it to PNG"),
)


def read(source: File) -> Tensor:
    """Read a picture as a viewer shows it: upright, on white, in colour.

    Of an animation it is the first frame. Colour profiles are not applied.

    Args:
        source: a file, ``"sample:cat"`` for a bundled photo, or a file open for reading bytes.

    Returns:
        (1, 3, H, W) float32, in [0, 1]; 8-bit levels divided by 255, except for 16-bit grey and float pictures.

    Raises:
        PictureError: the picture cannot be read; the message names it, and the remedy.
        UnknownNameError: there is no such sample.
    """
    if isinstance(source, str) and source.startswith("sample:"):
        source = sample(source.removeprefix("sample:"))
    try:
        return _decode(source.read() if hasattr(source, "read") else Path(source).read_bytes(), source)
    except Exception as error:  # Pillow's decoders raise nearly every kind there is
        raise PictureError(_complaint(source, error)) from error


def write(
    path: File, image: Tensor | Image.Image, *, metadata: dict[str, str] | None = None, quality: int = 95
) -> None:
    """Write a picture, whole or not at all.

    Args:
        path: a file, whose suffix (.png, .jpg, .jpeg, .webp) picks the format; or a file open for
            writing bytes, which gets PNG.
        image: (1, 3, H, W) or (3, H, W) in [0, 1], which is rounded to 8-bit levels; or a Pillow picture.
        metadata: text to store in the file, by key; only PNG keeps it.
        quality: of JPEG and WebP, from 1 to 100.

    Raises:
        PictureError: the suffix is unknown, or the file cannot be written.
        InterpretError: the tensor is no picture.
    """
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    if hasattr(path, "write"):
        path.write(encode(picture, ".png", metadata=metadata))
    else:
        write_bytes(path, encode(picture, Path(path).suffix, metadata=metadata, quality=quality))


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Write a file, whole or not at all; PictureError where that fails."""
    try:
        target = Path(path).resolve()  # a link stays a link
        if target.exists() and not target.is_file():  # a device or a pipe must not be replaced
            target.write_bytes(content)
        else:
            with written_beside(target) as temporary:
                temporary.write_bytes(content)
    except OSError as error:
        raise PictureError(f"cannot write {os.fspath(path)}: {error.strerror or error}") from error


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """A path to write to inside the block; the file then takes the target's place, unless the block fails."""
    # Not `tempfile`: its files are private to their owner, and would stay so.
    _sweep(target.parent)
    temporary = target.with_name(f".interp-{_HOST}-{os.getpid()}-{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink()


@cache
def _sweep(folder: Path) -> None:
    """Delete what killed runs on this machine have left half written in a folder; once for each folder."""
    if os.name == "nt":
        return  # where asking whether a process is alive ends it
    with suppress(OSError):
        for file in folder.glob(f".interp-{_HOST}-*.tmp"):
            ours = _TEMPORARY.fullmatch(file.name)
            if ours and not _is_alive(int(ours[1])):
                file.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # it is somebody else's, or no number of a process
    return True


def encode(picture: Image.Image, suffix: str, *, metadata: dict[str, str] | None = None, quality: int = 95) -> bytes:
    """The bytes of a picture file, in the format of a suffix; the options are those of `write`."""
    kind = FORMATS.get(suffix.lower())
    if kind is None:
        raise PictureError(f"cannot write pictures as {suffix!r}; the suffix is one of {', '.join(FORMATS)}")
    content = io.BytesIO()
    try:
        if kind == "PNG":
            chunks = PngImagePlugin.PngInfo()
            for key, text in (metadata or {}).items():
                chunks.add_text(key, text)
            picture.save(content, kind, pnginfo=chunks)
        else:
            _opaque(picture).save(content, kind, quality=quality)
    except (OSError, ValueError) as error:  # such as a side too long for the format
        size = f"{picture.width} x {picture.height} pixels"
        raise PictureError(f"{kind} cannot hold this picture of {size} ({error}); write .png instead") from error
    return content.getvalue()


def to_pil(image: Tensor) -> Image.Image:
    """A tensor (1, 3, H, W) or (3, H, W) in [0, 1], rounded to 8-bit levels, as a Pillow picture."""
    if image.shape[:-3] not in ((), (1,)) or image.shape[-3:-2] != (3,):
        raise InterpretError(f"one picture is (1, 3, H, W) or (3, H, W), not {tuple(image.shape)}")
    return Image.fromarray(to_levels(image).reshape(image.shape[-3:]).permute(1, 2, 0).cpu().numpy())


def in_colour(images: Tensor) -> Tensor:
    """Pictures as (N, 3, H, W), also those of one channel, (N, 1, H, W)."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def pixels_hash(image: Tensor) -> str:
    """A short name for the exact pixels of a picture and its shape: the first 12 digits of their SHA-256."""
    digest = hashlib.sha256(image.detach().cpu().contiguous().numpy())
    digest.update(str(tuple(image.shape)).encode())
    return digest.hexdigest()[:12]


def _decode(content: bytes, source: File) -> Tensor:
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
                _log.warning("%s: %s; if it holds fewer than 16 bits, scale it", _name(source), lightest)
    return torch.from_numpy(values)[None]


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
    """(3, H, W) float32, in [0, 1]; of a large picture there is one copy of that size."""
    if not picture.mode.startswith(("I", "F")):
        levels = np.asarray(_opaque(picture)).transpose(2, 0, 1)
        return np.divide(levels, 255, out=np.empty(levels.shape, np.float32), dtype=np.float32)
    grey = brightness(np.asarray(picture), picture, content)
    if not ((grey >= 0) & (grey <= 1)).all():
        raise ValueError(f"brightness from {grey.min():.6g} to {grey.max():.6g} instead of 0 to 1")
    return np.repeat(grey[None], 3, axis=0)


def _opaque(picture: Image.Image) -> Image.Image:
    """Any 8-bit picture as RGB; what is transparent lies on white."""
    if picture.mode == "LAB":  # the one mode that Pillow converts through a profile only
        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, *profiles, outputMode="RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _complaint(source: File, error: Exception) -> str:
    remedy = next(text for kind, text in _REMEDIES if isinstance(error, kind))
    if isinstance(error, FileNotFoundError):
        remedy = remedy.removesuffix("; check the path") + (address_hint(_name(source)) or "; check the path")
    reason = " ".join(str(error).split()).rstrip(".")
    return f"{_name(source)} {remedy.format(reason)}"


def _name(source: File) -> str:
    name = getattr(source, "name", "the open file") if hasattr(source, "read") else os.fspath(source)
    return printable(str("standard input" if name == "<stdin>" else name))
