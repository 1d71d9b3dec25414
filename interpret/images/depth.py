"""The depth of grey pictures of more than 8 bits: which stored value is white."""

import struct

import numpy as np
from PIL import Image

FULL = 65535  # white in 16 bits
DARK = 16  # a picture whose lightest value is so many times below white may hold fewer bits than it says
BITS_PER_SAMPLE, MAX_SAMPLE_VALUE = 258, 281  # tags of TIFF
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def brightness(values: np.ndarray, picture: Image.Image, content: bytes) -> np.ndarray:
    """The values of a grey picture, float32, by the depth that its file declares, or else by that of 16 bits."""
    if picture.mode == "F":
        return values.astype(np.float32)
    bits = _significant_bits(content)
    if bits is not None and 8 < bits < 16:
        values, white = _without_filling(values, bits), 2**bits - 1
    else:
        white = declared_white(picture) or FULL
    return values.astype(np.float32) / np.float32(white)


def declared_white(picture: Image.Image) -> int | None:
    """White as a TIFF declares it: by 9 to 15 bits a value, or by a largest value below that of 16 bits."""
    tags = getattr(picture, "tag_v2", None) or {}
    bits, largest = (np.ravel(tags.get(tag, 0))[0] for tag in (BITS_PER_SAMPLE, MAX_SAMPLE_VALUE))
    if 8 < bits < 16:
        return 2 ** int(bits) - 1
    return int(largest) if 255 < largest < FULL else None


def seems_too_dark(picture: Image.Image, values: np.ndarray, content: bytes) -> bool:
    """Whether a picture of 16 bits that declares nothing is so dark that it may hold fewer bits."""
    declared = _significant_bits(content) or declared_white(picture)
    return picture.mode.startswith("I") and not declared and 0 < values.max() <= 1 / DARK


def _significant_bits(content: bytes) -> int | None:
    """What the chunk sBIT of a PNG says of its first channel."""
    if not content.startswith(SIGNATURE):
        return None
    place = len(SIGNATURE)
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        if kind == b"sBIT" and length:
            return content[place + 8]
        if kind in (b"IDAT", b"PLTE"):
            return None
        place += 12 + length
    return None


def _without_filling(values: np.ndarray, bits: int) -> np.ndarray:
    """Values as they were before they were stored in 16 bits: in the upper ones by the standard; some do not shift."""
    filling = values & (2 ** (16 - bits) - 1)
    shifted = values >> (16 - bits)
    repeated = shifted >> (2 * bits - 16) if 2 * bits >= 16 else shifted
    if values.max(initial=0) < 2**bits and bool(((filling != 0) & (filling != repeated)).any()):
        return values
    return shifted
