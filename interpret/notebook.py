"""What results look like in a notebook: ``%load_ext interpret`` shows images, maps and figures as pictures."""

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image
    from torch import Tensor

LARGEST = 16  # images of a batch that are shown
LEAST = 8  # rows and columns; what is smaller is better read as numbers


def load_ipython_extension(shell: Any) -> None:
    """Show tensors (N, 3, H, W) and (N, 1, H, W), and figures, wherever a cell ends in one.

    Args:
        shell: IPython's, which calls this for ``%load_ext interpret``.
    """
    formatter = shell.display_formatter.formatters["image/png"]
    formatter.for_type_by_name("torch", "Tensor", png_of_images)
    formatter.for_type_by_name("matplotlib.figure", "Figure", png_of_figure)


def png_of_images(values: "Tensor") -> bytes | None:
    """A PNG of images (N, 3, H, W) in [0, 1] beside each other; maps, of one channel or beyond [0, 1], have colours.

    None for any other tensor, which then stays text.
    """
    import torch

    shape = tuple(values.shape)
    if len(shape) != 4 or shape[1] not in (1, 3) or not shape[0] or min(shape[2:]) < LEAST:
        return None
    if not values.is_floating_point() or not torch.isfinite(values).all():
        return None
    pictures = _pictures(values.detach().cpu().float()[:LARGEST])
    return _png(_beside_each_other(pictures))


def png_of_figure(figure: "Figure") -> bytes:
    """A PNG of a figure; pyplot, which shows its own in notebooks, does not know it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()


def _pictures(values: "Tensor") -> "list[Image.Image]":
    from .explainers.aggregation import combined
    from .figures.display import heatmap
    from .images.files import to_pil

    if values.shape[1] == 3 and bool((values >= 0).all() and (values <= 1).all()):
        return [to_pil(one) for one in values]
    maps = combined(values, "sum", absolute=False)
    limit, signed = float(maps.abs().max()), bool((maps < 0).any())
    return [heatmap(one[None], limit=limit, signed=signed) for one in maps]


def _beside_each_other(pictures: "list[Image.Image]") -> "Image.Image":
    from PIL import Image

    width, height = pictures[0].size
    row = Image.new("RGB", (width * len(pictures), height))
    for number, picture in enumerate(pictures):
        row.paste(picture, (number * width, 0))
    return row


def _png(picture: "Image.Image") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()
