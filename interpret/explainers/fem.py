"""FEM, the feature explanation method (Fuad et al. 2020, https://doi.org/10.1109/IPTA50016.2020.9286629)."""

from torch import Tensor, nn

from ..errors import InterpretError
from ..geometry import Geometry
from ..scores import Target
from .contract import activations_and_score, explainer


@explainer(Geometry.undo)
def fem(
    classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None, sigmas: float = 2.0
) -> Tensor:
    """Where the channels of a layer are unusually strong, whatever the class.

    Each channel marks the places where it is that many standard deviations above its mean over the places, and
    the marks are summed with these means as weights. The class is not looked at. pytorch-grad-cam's FEM is another
    method: it weights the activations by the share of places that are marked.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.
        sigmas: from how many standard deviations above the mean on a place is marked.

    Returns:
        (N, 1, H, W), in units of the activations.

    Raises:
        NetworkError: the network has no feature map.
        InterpretError: a map with too few places for one to be so far above the mean.
    """
    activations, _ = activations_and_score(classifier, images, target, layer, differentiated=False)
    places = activations[0, 0].numel()
    if sigmas**2 > places - 1:
        raise InterpretError(
            f"of the {places} places of this layer none can be {sigmas:g} standard deviations above the mean; name an "
            "earlier layer, or take fewer sigmas"
        )
    means = activations.mean((2, 3), keepdim=True)
    spread = activations.std((2, 3), correction=0, keepdim=True)
    return (means * (activations >= means + sigmas * spread)).sum(1, keepdim=True)
