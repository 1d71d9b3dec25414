"""Eigen-Grad-CAM (Gildenblat et al. 2021, https://github.com/jacobgil/pytorch-grad-cam)."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target
from .contract import activations_and_score, explainer
from .projections import first_direction, signed


@explainer(Geometry.undo)
def eigengradcam(classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None) -> Tensor:
    """The strongest pattern in what a layer adds to the class, place by place.

    Activations times gradients, projected on the direction in which they vary most over the places: Eigen-CAM
    (Muhammad and Yeasin 2020) for one class. A direction has no sign of its own: it gets the one by which the map
    agrees with HiResCAM, which is the plain sum over the channels. pytorch-grad-cam, where the method comes from,
    leaves the sign to chance, and cuts the map at its mean.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.

    Returns:
        (N, 1, H, W) attribution, signed, in units of the logit.

    Raises:
        NetworkError: the network has no feature map.
    """
    activations, score = activations_and_score(classifier, images, target, layer)
    added = (gradient(score, activations) * activations).flatten(2)  # (N, K, places)
    direction = first_direction(added - added.mean(2, keepdim=True))
    projected = (direction.mT @ added)[:, 0]
    return signed(projected, added.sum(1)).unflatten(1, activations.shape[2:])[:, None]
