"""HiResCAM (Draelos and Carin 2020, https://arxiv.org/abs/2011.08891)."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target
from .contract import activations_and_score, explainer, weighted_map


@explainer(Geometry.undo)
def hirescam(classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None) -> Tensor:
    """Where a layer adds to the class score, and where it takes from it.

    Activations times gradients, summed over the channels, without the average of Grad-CAM (section
    3.2). With a head of global pooling and one linear layer it equals Grad-CAM; for other heads it shows
    what was computed, while Grad-CAM may point to places that were not used. It is not cut at zero.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.

    Returns:
        (N, 1, H, W) attribution, signed, in units of the logit.

    Raises:
        NetworkError: the network has no feature map, as fully connected networks have none.
    """
    activations, score = activations_and_score(classifier, images, target, layer)
    return weighted_map(activations, gradient(score, activations), relu=False)
