"""Occlusion (Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901)."""

import itertools

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..images.baselines import baseline_for
from ..scores import Target, score_of, target_of
from .contract import explainer
from .passes import passes


@explainer(Geometry.undo)
def occlusion(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    window: int | None = None,
    stride: int | None = None,
    baseline: str | float | Tensor = "grey",
    max_batch: int = 32,
) -> Tensor:
    """How far the score falls when a window slides over the picture and hides what is below.

    For every place of the window the fall of the score is noted (section 4.2), and a pixel gets the
    mean over the windows that hide it. Nothing is differentiated, so it works for any network.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1]; other shapes (N, C, ...) or (N, features) are taken too.
        target: (N,) class indices, one per image, or a score.
        window: side of the window in pixels of the network's input; an eighth of the shorter side by default.
        stride: how many pixels the window moves each time; half the window by default.
        baseline: what fills the window: grey, black, white, mean, blur, uniform or a number; in Python also a tensor.
        max_batch: how many passes are made at once; fewer if memory runs out.

    Returns:
        (N, 1, H, W) attribution, signed, in units of the logit.
    """
    axes = images.shape[2:] or images.shape[1:]
    window = window or max(1, min(axes) // 8)
    stride = stride or max(1, window // 2)
    windows = list(itertools.product(*(_spans(size, window, stride) for size in axes)))
    fill = baseline_for(baseline, classifier, images)
    with torch.no_grad():
        whole = score_of(classifier, images, target)

    def run(rows: Tensor, steps: Tensor) -> Tensor:
        hidden = images[rows].detach().clone()
        for place, (row, step) in enumerate(zip(rows.tolist(), steps.tolist(), strict=True)):
            hidden[place][..., *windows[step]] = fill[row][..., *windows[step]]
        with torch.no_grad():
            return whole[rows] - score_of(classifier, hidden, target_of(target, rows))

    falls = torch.zeros_like(images[:, :1] if images.dim() > 2 else images)
    times = torch.zeros_like(falls[0])
    for where in windows:
        times[..., *where] += 1
    work = passes(run, len(images), len(windows), max_batch=max_batch, what="occlusion", device=images.device)
    for image, step, fall in work:
        falls[image][..., *windows[step]] += fall
    return falls / times.clamp(min=1)


def _spans(size: int, window: int, stride: int) -> list[slice]:
    """The places of the window along one axis, which cover it; the last one may reach over its end."""
    steps = max(0, -(-(size - window) // stride))
    return [slice(step * stride, step * stride + window) for step in range(steps + 1)]
