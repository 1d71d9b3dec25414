"""Picture files to tensors (1, 3, H, W) in [0, 1], and back."""

import hashlib
import io
import os
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from torch import Tensor

from ..bounds import bounded
from ..bundled import sample
from ..errors import InterpretError, PictureError, address_hint, printable
from ..strips import strips
from .arrays import picture_in
from .decode import decode, opaque, pixels_of
from .levels import in_unit_range, to_levels

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


def read(source: File | Image.Image | np.ndarray) -> Tensor:
    """Read a picture as a viewer shows it: upright, on white, in colour.

    Of an animation it is the first frame. Colour profiles are not applied.

    Args:
        source: a file, ``"sample:cat"`` for a bundled photo, a file open for reading bytes, a Pillow picture, or an
            array (H, W) or (H, W, C) of 8-bit levels or of floating point numbers in [0, 1].

    Returns:
        (1, 3, H, W) float32, in [0, 1]; 8-bit levels divided by 255, except for 16-bit grey and float pictures.

    Raises:
        PictureError: the picture cannot be read; the message names it, and the remedy.
        InterpretError: something else was given, or an array that has no one meaning as a picture.
        UnknownNameError: there is no such sample.
    """
    return in_unit_range(read_stored(source))


def read_stored(source: File | Image.Image | np.ndarray) -> Tensor:
    """A picture as for ``read``, (1, 3, H, W), but as its file holds it: 8-bit levels (uint8), or float32 in [0, 1].

    A quarter of the memory; ``in_unit_range`` makes the one of the other.
    """
    if isinstance(source, np.ndarray):
        found = picture_in(source)
        return pixels_of(found) if isinstance(found, Image.Image) else found
    if not (isinstance(source, str | os.PathLike | Image.Image) or hasattr(source, "read")):
        raise InterpretError(f"a picture is a path, an open file, a Pillow image or an array, not a {_kind(source)}")
    if isinstance(source, str) and source.startswith("sample:"):
        source = sample(source.removeprefix("sample:"))
    try:
        if isinstance(source, Image.Image):
            return pixels_of(source)
        return decode(source.read() if hasattr(source, "read") else Path(source).read_bytes(), _name(source))
    except Exception as error:  # Pillow's decoders raise nearly every kind there is
        raise PictureError(_complaint(source, error)) from error


@bounded
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
            opaque(picture).save(content, kind, quality=quality)
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
    """A short name for the exact pixels of a picture and its shape: the first 12 digits of their SHA-256.

    It is the same for 8-bit levels and for the brightness that they stand for.
    """
    digest = hashlib.sha256()
    if image.dtype == torch.uint8:
        for channel in image.flatten(0, -3):
            for rows in strips(*channel.shape):
                digest.update(in_unit_range(channel[rows]).numpy())
    else:
        digest.update(image.detach().cpu().contiguous().numpy())
    digest.update(str(tuple(image.shape)).encode())
    return digest.hexdigest()[:12]


def _kind(source: object) -> str:
    return "tensor, which is read already" if isinstance(source, Tensor) else type(source).__name__


def _complaint(source: File, error: Exception) -> str:
    remedy = next(text for kind, text in _REMEDIES if isinstance(error, kind))
    if isinstance(error, FileNotFoundError):
        remedy = remedy.removesuffix("; check the path") + (address_hint(_name(source)) or "; check the path")
    reason = " ".join(str(error).split()).rstrip(".")
    return f"{_name(source)} {remedy.format(reason)}"


def _name(source: File) -> str:
    name = getattr(source, "name", "the open file") if hasattr(source, "read") else os.fspath(source)
    return printable(str("standard input" if name == "<stdin>" else name))
