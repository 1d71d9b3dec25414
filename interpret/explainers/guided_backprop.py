"""Guided backpropagation (Springenberg et al. 2015, https://arxiv.org/abs/1412.6806)."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target
from .contract import explainer, input_gradient


@explainer(Geometry.spread)
def guided_backprop(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """Which pixels the class score reacts to, along paths that are positive all the way.

    The gradient, but every activation passes on only what is positive, and only where it is active
    itself (section 3.4, figure 1). For activations other than ReLU see the table of
    ``interpret.network.backward_rules``. Sharp pictures of edges; they depend little on the class.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.

    Returns:
        (N, 3, H, W), signed; drawn in its own colours around grey.

    Raises:
        NetworkError: the network has no activation that the rule knows; the message names the cause.
    """
    return input_gradient(classifier, images, target, "guided")
