"""A figure of several views of one thing, each with what is seen in it."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from .panels import Panel, in_rows, row_figure
from .plain_text import plain_text
from .units import PHOTO, photo_array


@plain_text
def views_figure(images: Sequence[Tensor], captions: Sequence[str], *, columns: int = 4, title: str = "") -> Figure:
    """Pictures (1, 3, H, W) in [0, 1] in rows, each with a caption.

    Args:
        images: the pictures.
        captions: one for each.
        columns: how many in a row.
        title: above all.
    """
    pairs = zip(images, captions, strict=True)
    panels = [Panel(photo_array(image), caption=caption, interpolation=PHOTO) for image, caption in pairs]
    return row_figure(in_rows(panels, columns), width=1.9, title=title)
