"""Makes the montage among the samples: ``python samples/make.py``."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).parent
HALF = (272, 512)


def cat_and_dog() -> Image.Image:
    """A cat and a dog side by side, both heads inside the central square that a network sees.

    Returns:
        the montage, 544 x 512 pixels.
    """
    montage = Image.new("RGB", (2 * HALF[0], HALF[1]))
    montage.paste(cat(), (0, 0))
    montage.paste(dog(), (HALF[0], 0))
    return montage


def dog() -> Image.Image:
    """The head and chest of the German shepherd, ``HALF`` in size."""
    # The ears nearly touch the upper edge, which networks crop away: mirror the grass above them.
    grown = np.pad(np.asarray(photo("german-shepherd")), ((16, 0), (0, 0), (0, 0)), mode="symmetric")
    return Image.fromarray(grown).resize(HALF, Image.Resampling.LANCZOS, box=(419, 0, 610, 360))


def cat() -> Image.Image:
    """The kitten, turned upright so that it fills a portrait, ``HALF`` in size."""
    upright = ImageOps.mirror(photo("kitten")).rotate(
        60, Image.Resampling.BICUBIC, center=(340, 186), translate=(-20, 30)
    )
    return upright.resize(HALF, Image.Resampling.LANCZOS, box=(225, 12, 441.75, 420))


def photo(name: str) -> Image.Image:
    """The bundled photo of that name."""
    with Image.open(HERE / f"{name}.jpg") as opened:
        return opened.convert("RGB")


if __name__ == "__main__":
    cat_and_dog().save(HERE / "cat-and-dog.jpg", quality=92, optimize=True)
