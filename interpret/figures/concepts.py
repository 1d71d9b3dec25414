"""A figure of concepts: the picture of each one's direction, its strongest crops, and where it is in whole pictures."""

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from ..concepts.craft import Concepts
from .display import overlay
from .panels import Panel, row_figure
from .plain_text import plain_text
from .units import PHOTO, photo_array


@plain_text
def concepts_figure(
    found: Concepts,
    inputs: Sequence[Tensor],
    *,
    drawn: Sequence[Tensor] = (),
    crops: int = 4,
    photos: int = 3,
    title: str = "",
) -> Figure:
    """A row for each concept, the one that matters most first.

    Args:
        found: the concepts.
        inputs: (1, 3, H, W) in [0, 1], what the network saw of each picture.
        drawn: (1, 3, H, W) in [0, 1], what raises each concept; of none by default.
        crops: how many of a concept's strongest crops.
        photos: how many of the pictures in which it is strongest, with its map in the same colours.
        title: above all.
    """
    rows = []
    for concept in range(len(found.directions)):
        row = [Panel(photo_array(picture), interpolation=PHOTO) for picture in drawn[concept : concept + 1]]
        parts = [crop.cut(inputs[crop.picture]) for crop in found.strongest(concept, crops)]
        row += [Panel(photo_array(part), interpolation=PHOTO) for part in parts]
        row += _maps(found, concept, inputs, photos)
        if row:
            row[0] = Panel(row[0].picture, _heading(found, concept), interpolation=PHOTO)
            rows.append(row)
    return row_figure(rows, width=1.3, title=title)


def _heading(found: Concepts, concept: int) -> str:
    fall, by_chance = float(found.falls[concept]), float(found.floors[concept].mean())
    name, as_much = f"concept {concept + 1}", f"without as much at random by {by_chance:.3g}"
    return f"{name}: without it the score falls by {fall:.3g}, {as_much}"


def _maps(found: Concepts, concept: int, inputs: Sequence[Tensor], most: int) -> list[Panel]:
    """The pictures in which a concept is strongest, with its map over them."""
    own = [maps[concept] for maps in found.maps]
    limit = max(float(values.max()) for values in own)
    order = sorted(range(len(own)), key=lambda number: -float(own[number].mean()))[:most]
    panels = []
    for number in order:
        large = F.interpolate(own[number][None, None].float(), inputs[number].shape[2:], mode="bilinear")
        picture = overlay(inputs[number], large, limit=limit, signed=False)
        panels.append(Panel(np.asarray(picture) / 255, interpolation=PHOTO))
    return panels
