"""The sheet of several drawn pictures, with the pictures of a data set beside them, and the curve."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .beside import Examples
from .drawn import coloured
from .visualized import Drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE, GAP, TITLE = 2.6, 0.12, 0.42  # inches
WIDEST = 4  # panels in a row


@dataclass(frozen=True)
class Panel:
    """One square of a sheet: a picture, or up to nine small ones."""

    title: str  # at most two lines; longer ones are cut
    pictures: Sequence[Any]  # Pillow pictures or arrays (h, w, 3) in [0, 1]


def sheet(done: Sequence[Drawn], beside: dict[str, tuple[Examples, float]], pairs: bool) -> "Any | Figure":
    """What was drawn: a Pillow picture where there is one alone, else a figure.

    Args:
        done: the pictures of each expression.
        beside: the expression -> what stands beside its pictures, and the activation that they reach.
        pairs: whether every second expression is the opposite of the one before it.

    Returns:
        A Pillow picture, or a matplotlib Figure that is not known to pyplot.
    """
    groups = [_group(drawn, beside.get(drawn.text)) for drawn in done]
    if len(groups) == len(groups[0]) == 1:
        return groups[0][0].pictures[0]
    if all(len(group) == 1 for group in groups):
        panels = [panel for group in groups for panel in group]
        return _figure(_rows(panels, _columns(len(panels), pairs)))
    return _figure([row for group in groups for row in _rows(group, len(group) if len(group) <= 6 else WIDEST)])


def _group(drawn: Drawn, found: tuple[Examples, float] | None) -> list[Panel]:
    from interpret.images.files import to_pil

    pictures = [to_pil(coloured(image)) for image in drawn.images.split(1)]
    reaches = "reaches" if len(pictures) == 1 else "reach up to"
    title = f"{_cut(drawn.text, 1)}\n{reaches} {found[1]:.3g}" if found else _cut(drawn.text, 2)
    # Those of one expression stand in a row under one title.
    panels = [Panel(title if number == 0 else "", [picture]) for number, picture in enumerate(pictures)]
    if not found:
        return panels
    examples = found[0]
    crops = [_crop(crop) for crop in examples.crops]
    values = f"{examples.crops[0].value:.3g} to {examples.crops[-1].value:.3g}" if crops else "none is above 0"
    return [*panels, Panel(f"the strongest of {examples.pictures} pictures\n{values}", crops)]


def _crop(crop: Any) -> Any:
    left, top, right, bottom = crop.box
    image = coloured(crop.image)[0, :, top:bottom, left:right]
    return image.clamp(0, 1).permute(1, 2, 0).cpu().numpy()


def _cut(text: str, lines: int) -> str:
    return "\n".join(textwrap.wrap(text, 38, max_lines=lines, placeholder=" …"))


def _columns(count: int, pairs: bool) -> int:
    """How many panels stand in a row, so that few places are empty and no pair is torn apart."""
    if count <= WIDEST:
        return count
    if pairs:
        return 4 if count % 4 == 0 else 2
    return 3 if count in (5, 6, 9) else 4


def _rows(panels: Sequence[Panel], columns: int) -> list[Sequence[Panel]]:
    return [panels[start : start + columns] for start in range(0, len(panels), columns)]


def _figure(rows: Sequence[Sequence[Panel]]) -> "Figure":
    from matplotlib.figure import Figure

    wide = GAP + max(map(len, rows)) * (SIDE + GAP)
    heights = [SIDE + (TITLE if any(panel.title for panel in row) else 0) + GAP for row in rows]
    figure = Figure(figsize=(wide, sum(heights) + GAP))
    tall = sum(heights) + GAP
    bottom = tall
    for row, height in zip(rows, heights, strict=True):
        bottom -= height
        for number, panel in enumerate(row):
            left = GAP + number * (SIDE + GAP)
            figure.text(left / wide, (bottom + SIDE + 0.05) / tall, panel.title, fontsize=9, va="bottom")
            side = 1 if len(panel.pictures) == 1 else 3
            for place, picture in enumerate(panel.pictures):
                down, across = divmod(place, side)
                small = (SIDE - (side - 1) * 0.04) / side
                x, y = left + across * (small + 0.04), bottom + (side - 1 - down) * (small + 0.04)
                axes = figure.add_axes((x / wide, y / tall, small / wide, small / tall))
                axes.imshow(picture)
                axes.set_axis_off()
    return figure


def curve(done: Sequence[Drawn]) -> "Figure":
    """The objective of each expression over the steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for drawn in done:
        # Matplotlib hides labels that begin with an underscore.
        axes.plot(drawn.frames.scores, label=f"\u200b{drawn.text}")
    axes.set(xlabel="step", ylabel="objective")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
