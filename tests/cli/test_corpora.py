"""More than two hundred odd picture files, each read as Pillow shows it or refused in a line."""

import itertools
from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.benchmarks.corpora import verdicts

DRAW = np.random.default_rng(7)
SIZE = (40, 36)
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "LAB")
KINDS = {
    "png": "PNG", "jpg": "JPEG", "jfif": "JPEG", "tif": "TIFF", "webp": "WEBP", "gif": "GIF", "bmp": "BMP",
    "tga": "TGA", "jp2": "JPEG2000", "ico": "ICO", "pcx": "PCX", "sgi": "SGI", "dds": "DDS", "qoi": "QOI", "ppm": "PPM",
}  # fmt: skip


def noise(mode: str) -> Image.Image:
    """A picture of a mode, coarse enough for codecs that lose detail."""
    levels = DRAW.integers(0, 256, (4, 5, 4), dtype=np.uint8)
    colour = Image.fromarray(levels).resize(SIZE, Image.Resampling.BILINEAR)
    if mode == "I;16":
        return Image.fromarray(np.asarray(colour.convert("L")).astype(np.uint16) * 257)
    if mode in ("I", "F"):
        grey = np.asarray(colour.convert("L")).astype(np.int32)
        return Image.fromarray(grey * 257 if mode == "I" else (grey / 255).astype(np.float32))
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(colour.convert("RGB"), *profiles, outputMode="LAB")
    if mode == "PA":
        return colour.convert("RGB").convert("P").convert("PA")
    return colour if mode == "RGBA" else colour.convert("RGB").convert(mode)


def saved(path, picture, kind, **options) -> bool:
    """Whether a format can hold such a picture."""
    try:
        picture.save(path, kind, **options)
    except (OSError, ValueError, KeyError, TypeError, SystemError):
        path.unlink(missing_ok=True)
        return False
    return True


@pytest.fixture
def corpus(tmp_path):
    """Every mode in every format, every orientation, profiles, animations, and what is cut off or something else."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for (suffix, kind), mode in itertools.product(KINDS.items(), MODES):
        saved(folder / f"{mode.replace(';', '')}.{suffix}", noise(mode), kind)
    for orientation, suffix, mode in itertools.product(range(1, 9), ("jpg", "png", "webp", "tif"), ("RGB", "L")):
        exif = Image.Exif()
        exif[274] = orientation
        saved(folder / f"turned {orientation} {mode}.{suffix}", noise(mode), KINDS[suffix], exif=exif)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for suffix in ("png", "jpg", "webp", "tif"):
        saved(folder / f"profile.{suffix}", noise("RGB"), KINDS[suffix], icc_profile=profile)
        saved(folder / f"bad profile.{suffix}", noise("RGB"), KINDS[suffix], icc_profile=b"none")
    for suffix, mode in itertools.product(("gif", "png", "webp", "tif"), ("P", "RGB", "RGBA")):
        frames = [noise(mode) for _ in range(3)]
        saved(folder / f"moves {mode}.{suffix}", frames[0], KINDS[suffix], save_all=True, append_images=frames[1:])
    for path in sorted(folder.glob("RGB.*")):
        content = path.read_bytes()
        (folder / f"half {path.name}").write_bytes(content[: len(content) // 2])
        (folder / f"head {path.name}").write_bytes(content[:12])
        (folder / f"empty {path.name}").touch()
        (folder / f"other {path.name}").write_bytes(b"<html>" + content[:200])
    return folder


def test_each_is_read_as_pillow_shows_it_or_refused(corpus):
    found = list(verdicts(corpus))
    counts = Counter(verdict.kind for verdict in found)
    print(dict(counts))
    assert len(found) > 200
    assert not [verdict for verdict in found if verdict.kind == "wrong"]
    assert counts["read"] > 150 and counts["refused"] > 30
