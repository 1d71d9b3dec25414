"""XGrad-CAM (Fu et al. 2020, https://arxiv.org/abs/2008.02312)."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target
from .contract import activations_and_score, explainer, ratio, weighted_map


@explainer(Geometry.undo)
def xgradcam(classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None) -> Tensor:
    """Where a layer speaks for the class, with weights that add up to the score.

    A channel weighs its gradient, averaged over its places in proportion to its activations (eq. 7);
    a channel without activations weighs nothing. The weighted sum is cut at zero.

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
    total = activations.sum((2, 3), keepdim=True)
    weights = ratio((gradient(score, activations) * activations).sum((2, 3), keepdim=True), total)
    return weighted_map(activations, weights)
