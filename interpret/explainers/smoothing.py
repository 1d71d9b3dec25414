"""An explanation averaged over flips and small shifts of the picture."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bounds import check_bounds
from ..classifier import on_input_grid
from ..scores import Target
from .contract import Explainer


def smoothed(
    explainer: Explainer, classifier: nn.Module, images: Tensor, target: Target, *, times: int, **options: Any
) -> Tensor:
    """The mean of an explanation over mirrored and slightly shifted copies of the pictures.

    The first copy is the picture itself; every second one is mirrored; the shifts, up to 4 % of the
    shorter side, follow a fixed pattern. Each map is moved back before it is averaged.

    Args:
        explainer: any explainer.
        classifier: the classifier to explain.
        images: (N, C, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        times: how many copies.
        **options: the explainer's own.

    Returns:
        (N, C, H, W) mean attribution.
    """
    check_bounds("smoothed", {"times": times})
    reach = round(0.04 * min(images.shape[-2:]))
    geometry = on_input_grid(classifier, images)[2]
    seen = geometry.seen().to(images)[None, None] if geometry else torch.ones_like(images[:1, :1])
    total, counted = torch.zeros(()), torch.zeros(())
    for copy in range(times):
        # Any number of points of the R2 sequence lies evenly in the square.
        down, right = (round(((copy * step + 0.5) % 1 * 2 - 1) * reach) for step in (0.7548776662, 0.5698402910))
        mirrored = copy % 2 == 1
        if copy == 0:
            down = right = 0
        explained = explainer(classifier, _moved(images, down, right, mirrored), target, **options)
        total = total + _put_back(explained, down, right, mirrored)
        # A shift leaves an edge without a value; there the mean is taken over fewer copies.
        counted = counted + _put_back(seen, down, right, mirrored)
    return total / counted.clamp(min=1) * seen


def _moved(images: Tensor, down: int, right: int, mirrored: bool) -> Tensor:
    moved = _shifted(images, down, right, "replicate")
    return moved.flip(-1) if mirrored else moved


def _put_back(explained: Tensor, down: int, right: int, mirrored: bool) -> Tensor:
    return _shifted(explained.flip(-1) if mirrored else explained, -down, -right, "constant")


def _shifted(images: Tensor, down: int, right: int, filling: str) -> Tensor:
    """Images moved down and to the right; ``filling`` is the mode of ``F.pad`` for what comes in at the edges."""
    reach = max(abs(down), abs(right))
    padded = F.pad(images, [reach] * 4, mode=filling)
    height, width = images.shape[-2:]
    return padded[..., reach - down : reach - down + height, reach - right : reach - right + width]
