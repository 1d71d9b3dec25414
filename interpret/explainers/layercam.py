"""LayerCAM (Jiang et al. 2021, https://doi.org/10.1109/TIP.2021.3089943)."""

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target
from .contract import activations_and_score, explainer, weighted_map


@explainer(Geometry.undo)
def layercam(classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None) -> Tensor:
    """Where a layer speaks for the class, place by place, also in early layers.

    Each place of each channel is weighted by its own gradient where that is positive (eq. 6), and the
    weighted sum is cut at zero (eq. 7). In early layers the map is fine, in late ones it is coarse.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.

    Returns:
        (N, 1, H, W) attribution, at least zero, in units of the logit.

    Raises:
        NetworkError: the network has no feature map, as fully connected networks have none.
    """
    activations, score = activations_and_score(classifier, images, target, layer)
    return weighted_map(activations, torch.relu(gradient(score, activations)))
