"""Figures of units: filters, activation maps, and the crops of a data set that excite a unit most."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch.nn.functional as F
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ..units.top_activations import Crop
from .colours import Scale, colorize, colour_array
from .display import limit_of, overlay, own_colours
from .panels import ColourBar, Panel, in_rows, row_figure
from .plain_text import plain_text

Sharing = Literal["each", "shared"]

MAX_CHANNELS = 48  # channels that are drawn of a filter with many
THUMBNAIL = 320  # pixels of a whole picture's longer side, so that a figure of large photos stays small
PIXELS, PHOTO = "nearest", "antialiased"  # how pictures are resampled: values as squares, photos smoothly


@plain_text
def filters_figure(filters: Tensor, *, names: Sequence[str] = (), scale: Sharing = "each", title: str = "") -> Figure:
    """Filters as pictures: in colour around mid grey where they see three channels, else in blue and red around white.

    Args:
        filters: (K, C, h, w). With another number of channels than 1 and 3, each filter is a row of
            C pictures, of which the first ``MAX_CHANNELS`` are drawn.
        names: one a filter, such as those of classes; their numbers by default.
        scale: the weight that gets the strongest colour: each filter's own largest, or one for all.
        title: above all.
    """
    names = names or [str(number) for number in range(len(filters))]
    common, channels = limit_of(filters), filters.shape[1]
    rows = []
    for name, weights in zip(names, filters, strict=True):
        limit = common if scale == "shared" else limit_of(weights)
        parts = [weights] if channels in (1, 3) else weights[:MAX_CHANNELS].split(1)
        captions = [name, *[""] * (len(parts) - 1)]
        rows.append([_filter_panel(*both, limit) for both in zip(parts, captions, strict=True)])
    bar = None if channels == 3 else _bar(scale, Scale(common, True), "weight", "the filter's")
    if channels in (1, 3):
        width = 1.3 if names and max(map(len, names)) > 6 else 0.8
        rows = in_rows([panel for row in rows for panel in row], int(10 / width))
    else:
        width = min(0.9, 11 / min(channels, MAX_CHANNELS))
    return row_figure(rows, width=width, title=title, bar=bar)


@plain_text
def activations_figure(
    maps: Tensor, *, image: Tensor | None = None, most: int = 64, scale: Sharing = "each", title: str = ""
) -> Figure:
    """The maps of a layer for one picture, the one with the largest maximum first, each with its channel's number.

    Maps that are zero everywhere are left out.

    Args:
        maps: (1, K, u, v).
        image: (1, 3, H, W) in [0, 1], what the network saw, drawn first.
        most: how many maps.
        scale: the value that gets the strongest colour: each map's own largest, or one for all.
        title: above all.
    """
    order = strongest_maps(maps)[:most]
    shown = maps[0, order].float().cpu()
    common = Scale(limit_of(shown) if len(order) else 0.0, bool((shown < 0).any()))
    panels = [] if image is None else [Panel(photo_array(image), caption="input", interpolation=PHOTO)]
    for channel, values in zip(order, shown, strict=True):
        limit = common.limit if scale == "shared" else limit_of(values)
        picture = colorize(values.numpy(), limit=limit, signed=common.signed)
        panels.append(Panel(picture, caption=f"{channel}: {float(values.max()):.3g}", interpolation=PIXELS))
    bar = _bar(scale, common, "activation", "the map's")
    columns = min(10, max(4, round((1.3 * len(panels)) ** 0.5)))
    return row_figure(in_rows(panels, columns), width=1.05, title=title, bar=bar)


@plain_text
def contributions_figure(
    added: Tensor, *, image: Tensor, names: Sequence[str], scale: Sharing = "shared", title: str = ""
) -> Figure:
    """Where units add to a score, and where they take from it: each unit's map over the picture.

    Args:
        added: (n, u, v), of each unit at each place.
        image: (1, 3, H, W) in [0, 1], what the network saw, drawn first.
        names: one for each unit.
        scale: the value that gets the strongest colour: each map's own largest, or one for all.
        title: above all.
    """
    large = F.interpolate(added[:, None].float(), image.shape[2:], mode="bilinear")
    limit, signed = limit_of(large), bool((large < 0).any())
    panels = [Panel(photo_array(image), caption="input", interpolation=PHOTO)]
    for values, name in zip(large, names, strict=True):
        drawn = overlay(image, values[None], limit=limit if scale == "shared" else None, signed=signed)
        panels.append(Panel(np.asarray(drawn) / 255, caption=name, interpolation=PHOTO))
    return row_figure(in_rows(panels, 6), width=1.6, title=title)


@plain_text
def factors_figure(
    inputs: Sequence[Tensor], maps: Sequence[Tensor], *, names: Sequence[str] = (), title: str = ""
) -> Figure:
    """The factors of a layer: a row for each picture, and a column for each factor, over the picture in its colours.

    Args:
        inputs: (1, 3, H, W) in [0, 1], what the network saw of each picture, drawn first.
        maps: (F, u, v) of each picture. A factor has one scale for all of them.
        names: what each factor is seen as, for example; below the first row.
        title: above all.
    """
    limits = [max(float(own[factor].max()) for own in maps) for factor in range(len(maps[0]))]
    rows = []
    for number, (image, own) in enumerate(zip(inputs, maps, strict=True)):
        large = F.interpolate(own[:, None].float(), image.shape[2:], mode="bilinear")
        row = [Panel(photo_array(image), interpolation=PHOTO)]
        for factor, (values, limit) in enumerate(zip(large, limits, strict=True)):
            drawn = overlay(image, values[None], limit=limit, signed=False)
            first = number == 0
            caption = names[factor] if first and names else ""
            heading = f"factor {factor + 1}" if first else ""
            row.append(Panel(np.asarray(drawn) / 255, heading, caption, interpolation=PHOTO))
        rows.append(row)
    return row_figure(rows, width=1.7, title=title)


def strongest_maps(maps: Tensor) -> list[int]:
    """The channels of (1, K, u, v) that are not zero everywhere, the one with the largest maximum first."""
    values = maps[0].flatten(1)
    # Where an activation has a cap, many maxima are equal, and the means tell them apart.
    order = values.mean(1).argsort(descending=True, stable=True)
    order = order[values.max(1).values[order].argsort(descending=True, stable=True)]
    alive = (maps[0] != 0).flatten(1).any(1)
    return order[alive[order]].tolist()


@plain_text
def crops_figure(units: dict[int, Sequence[Crop]], *, title: str = "") -> Figure:
    """The crops that excite units most, each above its whole picture and above the pattern in it that does.

    Args:
        units: the channel's number -> its crops, strongest first.
        title: above all.
    """
    rows = []
    for channel, crops in units.items():
        titles = [f"channel {channel}", *[""] * (len(crops) - 1)]
        rows.append(
            [Panel(cut_out(crop), title, interpolation=PHOTO) for crop, title in zip(crops, titles, strict=True)]
        )
        if all(crop.projection is not None for crop in crops):
            rows.append([Panel(cut_pattern(crop), interpolation=PHOTO) for crop in crops])
        rows.append([_thumbnail(crop) for crop in crops])
    return row_figure(rows, title=title, width=1.3)


def cut_out(crop: Crop) -> np.ndarray:
    """(h, w, 3): the crop itself, without the rest of its picture."""
    left, top, right, bottom = crop.box
    return photo_array(crop.image)[top:bottom, left:right]


def photo_array(image: Tensor) -> np.ndarray:
    """A picture (1, 3, H, W) as (H, W, 3) in [0, 1]."""
    return colour_array(image.detach().float().clamp(0, 1))


def _filter_panel(weights: Tensor, caption: str, limit: float) -> Panel:
    """A filter (3, h, w), or one channel of it (1, h, w)."""
    if len(weights) == 3:
        picture = np.asarray(own_colours(weights[None], limit=limit)) / 255
    else:
        picture = colorize(weights[0].float().cpu().numpy(), limit=limit, signed=True)
    return Panel(picture, caption=caption, interpolation=PIXELS)


def cut_pattern(crop: Crop) -> np.ndarray:
    """(h, w, 3): the projection inside the crop, around grey."""
    left, top, right, bottom = crop.box
    pattern = crop.projection[..., top:bottom, left:right]
    return np.asarray(own_colours(pattern, limit=limit_of(pattern, percentile=99.5))) / 255


def _thumbnail(crop: Crop) -> Panel:
    """The whole picture, in which the crop is marked."""
    picture = photo_array(crop.image)
    factor = min(1, THUMBNAIL / max(picture.shape[:2]))
    size = tuple(max(1, round(side * factor)) for side in picture.shape[1::-1])
    small = Image.fromarray((picture * 255).round().astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    name = crop.path.stem if len(crop.path.stem) <= 18 else f"{crop.path.stem[:17]}…"
    frame = tuple(round(edge * factor) for edge in crop.box)
    return Panel(np.asarray(small) / 255, caption=f"{crop.value:.3g}\n{name}", frame=frame, interpolation=PHOTO)


def _bar(sharing: Sharing, common: Scale, quantity: str, whose: str) -> ColourBar:
    """The bar of all panels, in the quantity's unit where they share a scale, else in shares of each one's largest."""
    if sharing == "shared":
        return ColourBar(common, quantity)
    return ColourBar(Scale(1, common.signed), f"{quantity} / {whose} largest")
