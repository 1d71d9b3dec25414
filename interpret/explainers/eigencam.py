"""Eigen-CAM (Muhammad and Yeasin 2020, https://arxiv.org/abs/2008.00299)."""

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target
from .contract import activations_and_score, explainer
from .projections import first_direction, signed


@explainer(Geometry.undo)
def eigencam(classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None) -> Tensor:
    """The strongest pattern of a layer, whatever the class.

    The activations of all places, projected on their first principal direction (eq. 3, not centred).
    A direction has no sign of its own: it gets the one that makes the sum of the map positive, so that
    what is strong in the layer is strong in the map. The class is not looked at.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.

    Returns:
        (N, 1, H, W), in units of the activations.

    Raises:
        NetworkError: the network has no feature map, as fully connected networks have none.
    """
    activations, _ = activations_and_score(classifier, images, target, layer, differentiated=False)
    places = activations.flatten(2)  # (N, K, places)
    first = (first_direction(places).mT @ places)[:, 0]
    return signed(first, torch.ones_like(first)).unflatten(1, activations.shape[2:])[:, None]
