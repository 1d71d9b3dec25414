"""Grad-CAM++ (Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063)."""

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target
from .contract import activations_and_score, explainer, ratio, weighted_map


@explainer(Geometry.undo)
def gradcam_plusplus(classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None) -> Tensor:
    """Where a layer speaks for the class, also where the class occurs several times.

    Each place is weighted so that small objects count as much as large ones: with g the gradient and
    A the activations, alpha = g^2 / (2 g^2 + (sum of A) g^3) (eq. 19, 0 / 0 is 0), a channel weighs
    the sum of alpha max(g, 0) over its places (eq. 15), and the weighted sum is cut at zero (eq. 14).

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.

    Returns:
        (N, 1, H, W) attribution, at least zero; it grows with the logit but has no unit of its own.

    Raises:
        NetworkError: the network has no feature map, as fully connected networks have none.
    """
    activations, score = activations_and_score(classifier, images, target, layer)
    g = gradient(score, activations)
    total = activations.sum((2, 3), keepdim=True)
    alpha = ratio(g**2, 2 * g**2 + total * g**3)
    weights = (alpha * torch.relu(g)).sum((2, 3), keepdim=True)
    return weighted_map(activations, weights)
