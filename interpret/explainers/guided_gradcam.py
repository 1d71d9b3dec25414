"""Guided Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391)."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target
from .contract import explainer, input_gradient
from .gradcam import gradcam


@explainer(Geometry.spread)
def guided_gradcam(classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None) -> Tensor:
    """The fine detail of guided backpropagation, kept where Grad-CAM sees the class.

    Grad-CAM, laid on the network's input bilinearly, times guided backpropagation, place by place
    (section 3.2).

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer Grad-CAM looks at; the last feature map by default.

    Returns:
        (N, 3, H, W), signed; drawn in its own colours around grey.

    Raises:
        NetworkError: the network has no feature map, or no activation that the guided rule knows.
    """
    where = gradcam.__wrapped__(classifier, images, target, layer=layer)
    where = F.interpolate(where, images.shape[2:], mode="bilinear")
    return where * input_gradient(classifier, images, target, "guided")
