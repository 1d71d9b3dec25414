"""Score-CAM (Wang et al. 2020, https://arxiv.org/abs/1910.01279)."""

import logging

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry import Geometry
from ..images.baselines import baseline_for
from ..scores import Target, score_of, target_of
from .contract import activations_and_score, explainer, ratio, weighted_map
from .passes import passes

_log = logging.getLogger(__name__)


@explainer(Geometry.undo)
def scorecam(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    layer: str | None = None,
    baseline: str | float | Tensor = "mean",
    max_batch: int = 32,
) -> Tensor:
    """Where the channels of a layer lie that alone would make the class, without gradients.

    Each channel, laid on the input and rescaled to [0, 1], masks the picture (eq. 7); the softmax
    over the channels of the scores seen through the masks weighs them (eq. 8), and the weighted sum
    is cut at zero. It costs one pass a channel: 1280 for the default network.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.
        baseline: what replaces the pixels that a mask hides: mean (0 after normalisation, as in the
            paper), black, white, grey, blur, uniform or a number; in Python also a tensor.
        max_batch: how many passes are made at once; fewer if memory runs out.

    Returns:
        (N, 1, H, W) attribution, at least zero, in units of the activations.

    Raises:
        NetworkError: the network has no feature map, as fully connected networks have none.
    """
    with torch.no_grad():
        activations, _ = activations_and_score(classifier, images, target, layer)
    activations = activations.detach()
    channels = activations.shape[1]
    fill = baseline_for(baseline, classifier, images)
    _log.info("Score-CAM runs %d passes for each picture, one a channel", channels)

    def run(rows: Tensor, steps: Tensor) -> Tensor:
        large = F.interpolate(activations[rows, steps][:, None], images.shape[2:], mode="bilinear")
        low, high = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
        masks = ratio(large - low, high - low)
        with torch.no_grad():
            seen = fill[rows] + masks * (images[rows] - fill[rows])
            return score_of(classifier, seen, target_of(target, rows))

    scores = activations.new_zeros(len(images), channels)
    work = passes(run, len(images), channels, max_batch=max_batch, what="Score-CAM", device=images.device)
    for image, channel, score in work:
        scores[image, channel] = score
    return weighted_map(activations, scores.softmax(1)[:, :, None, None])
