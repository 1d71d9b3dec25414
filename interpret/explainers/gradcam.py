"""Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391)."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target
from .contract import activations_and_score, explainer, weighted_map


@explainer(Geometry.undo)
def gradcam(
    classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None, relu: bool = True
) -> Tensor:
    """Where the features of one layer speak for the target class.

    Each channel of the layer is weighted by the mean gradient of the class score over it (eq. 1);
    the weighted sum, cut at zero, is the map (eq. 2).

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.
        relu: cut the map at zero, as the paper does; without it, evidence against the class is negative.

    Returns:
        (N, 1, H, W) attribution, at least zero with relu, in units of the logit.

    Raises:
        NetworkError: the network has no feature map, as fully connected networks have none.
    """
    activations, score = activations_and_score(classifier, images, target, layer)
    weights = gradient(score, activations).mean((2, 3), keepdim=True)
    return weighted_map(activations, weights, relu)
