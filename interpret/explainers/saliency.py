"""Saliency, the gradient of the class score (Simonyan et al. 2014, https://arxiv.org/abs/1312.6034)."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target
from .contract import explainer, input_gradient


@explainer(Geometry.spread, differentiates_inputs=True)
def saliency(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """Which pixels the class score reacts to when they change by a little.

    The derivative of the score with respect to each value of the picture (section 3). It is drawn
    as the paper does, by the largest absolute value over the channels; the gradient itself is signed.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.

    Returns:
        (N, 3, H, W) gradient, signed, in units of the logit per unit of brightness.
    """
    return input_gradient(classifier, images, target)
