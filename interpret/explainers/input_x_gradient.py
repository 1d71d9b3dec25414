"""Input x gradient (Shrikumar et al. 2016, https://arxiv.org/abs/1605.01713)."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target
from .contract import explainer, input_gradient


@explainer(Geometry.spread, differentiates_inputs=True)
def input_x_gradient(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """How much each pixel adds to the score, if the network were linear.

    The gradient times the value it belongs to, on the network's input grid; black pixels get nothing.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.

    Returns:
        (N, 3, H, W) attribution, signed, in units of the logit.
    """
    return images * input_gradient(classifier, images, target)
