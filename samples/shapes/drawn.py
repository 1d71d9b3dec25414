"""Pictures of drawn shapes on photos, with their boxes and their masks, to train small networks on."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

import interpret

PHOTOS = sorted(Path(__file__).parents[1].glob("*.jpg"))
SHAPES = ("circle", "square", "triangle", "star")
SIZE = 128
FINER = 4  # shapes are drawn so much larger and shrunk, which smooths their edges


class Drawn(NamedTuple):
    """A picture of shapes.

    Attributes:
        image: (3, 128, 128) in [0, 1].
        boxes: (n, 4) left, top, right and bottom of each shape.
        labels: (n,) which of ``SHAPES`` each is, from 1 on; 0 is the photo behind them.
        mask: (128, 128) the label of each pixel.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    mask: Tensor


def draw(seed: int) -> Drawn:
    """One to four shapes that do not overlap, on a piece of a photo.

    Args:
        seed: the same seed gives the same picture.
    """
    chance = np.random.default_rng(seed)
    picture = _background(chance).resize((SIZE * FINER, SIZE * FINER))
    mask = Image.new("L", picture.size)
    boxes, labels = [], []
    for _ in range(chance.integers(1, 5)):
        radius = chance.uniform(13, 26)
        center = chance.uniform(radius, SIZE - radius, 2)
        place = np.concatenate([center - radius, center + radius])
        if any(_touch(place, other) for other in boxes):
            continue
        kind = int(chance.integers(len(SHAPES)))
        outline = [tuple(point) for point in (center + radius * _outline(kind, chance)) * FINER]
        color = tuple(int(level) for level in chance.integers(0, 256, 3))
        ImageDraw.Draw(picture).polygon(outline, fill=color)
        ImageDraw.Draw(mask).polygon(outline, fill=kind + 1)
        corners = np.array(outline) / FINER
        boxes.append(np.concatenate([corners.min(0), corners.max(0)]))
        labels.append(kind + 1)
    small = picture.resize((SIZE, SIZE), Image.Resampling.BOX)
    grained = interpret.read(small)[0] + 0.02 * torch.from_numpy(chance.standard_normal((3, SIZE, SIZE), np.float32))
    return Drawn(
        grained.clamp(0, 1),
        torch.from_numpy(np.array(boxes, np.float32)),
        torch.tensor(labels),
        torch.from_numpy(np.array(mask.resize((SIZE, SIZE), Image.Resampling.NEAREST), np.int64)),
    )


def _background(chance: np.random.Generator) -> Image.Image:
    """A square piece of a photo, of any size."""
    with Image.open(PHOTOS[chance.integers(len(PHOTOS))]) as opened:
        photo = opened.convert("RGB")
    side = int(chance.uniform(0.4, 1) * min(photo.size))
    left, top = (int(chance.integers(0, length - side + 1)) for length in photo.size)
    return photo.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))


def _outline(kind: int, chance: np.random.Generator) -> np.ndarray:
    """(points, 2) the corners of a shape in the unit circle, turned at random."""
    corners = (48, 4, 3, 10)[kind]
    radii = np.where(np.arange(corners) % 2, 0.42, 1) if SHAPES[kind] == "star" else np.ones(corners)
    angles = chance.uniform(0, 2 * np.pi) + np.arange(corners) * 2 * np.pi / corners
    return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)


def _touch(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((np.maximum(one[:2], other[:2]) < np.minimum(one[2:], other[2:])).all())
