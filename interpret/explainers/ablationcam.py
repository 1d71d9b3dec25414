"""Ablation-CAM (Desai and Ramaswamy 2020, https://doi.org/10.1109/WACV45572.2020.9093360)."""

import logging

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..geometry import Geometry
from ..layer_outputs import laid_out
from ..network.recording import recorded
from ..scores import Target, score_of
from .contract import explainer, feature_map, layer_looked_at, ratio, weighted_map
from .layer_edits import edited_scores
from .passes import passes

_log = logging.getLogger(__name__)


@explainer(Geometry.undo)
def ablationcam(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    layer: str | None = None,
    max_batch: int = 32,
) -> Tensor:
    """Where the channels of a layer lie without which the class score falls, without gradients.

    A channel weighs the share of the score that is lost when it is set to zero (eq. 2), and the
    weighted sum is cut at zero (eq. 3). It costs one pass a channel, 1280 for the default network, of
    what lies above the layer; what lies below is computed once.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.
        max_batch: how many passes are made at once; fewer if memory runs out.

    Returns:
        (N, 1, H, W) attribution, at least zero, in units of the activations.

    Raises:
        NetworkError: the network has no feature map, as fully connected networks have none.
    """
    network = network_of(classifier)
    layer = layer_looked_at(classifier, images, target, layer)
    layouts = laid_out(classifier, images, layer)
    with torch.no_grad(), recorded(network, layer, layouts=layouts) as recording:
        whole = score_of(classifier, images, target)
    activations = feature_map(classifier, images, recording, layer)
    channels = activations.shape[1]
    _log.info("Ablation-CAM runs %d passes for each picture, one a channel, of what lies above the layer", channels)
    ablated = edited_scores(classifier, images, target, recording, whole, _without_channel)
    without = activations.new_zeros(len(images), channels)
    work = passes(ablated, len(images), channels, max_batch=max_batch, what="Ablation-CAM", device=images.device)
    for image, channel, score in work:
        without[image, channel] = score
    # The paper divides by the score itself, which would reverse the map where the score is negative.
    weights = ratio(whole[:, None] - without, whole[:, None].abs().expand_as(without))
    return weighted_map(activations, weights[:, :, None, None])


def _without_channel(maps: Tensor, rows: Tensor, channels: Tensor) -> Tensor:
    maps[torch.arange(len(channels)), channels] = 0
    return maps
