"""Deconvnet (Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901)."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target
from .contract import explainer, input_gradient


@explainer(Geometry.spread)
def deconvnet(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """The pattern in the picture that the class score was made from, by running the network backwards.

    The gradient, but every activation passes on what is positive, wherever it comes from (section
    2.1); max-pooling sends it back through its switches. For activations other than ReLU see the
    table of ``interpret.network.backward_rules``.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.

    Returns:
        (N, 3, H, W), signed; drawn in its own colours around grey.

    Raises:
        NetworkError: the network has no activation that the rule knows; the message names the cause.
    """
    return input_gradient(classifier, images, target, "deconvnet")
