"""Element-wise Grad-CAM (Gildenblat et al. 2021, https://github.com/jacobgil/pytorch-grad-cam)."""

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target
from .contract import activations_and_score, explainer


@explainer(Geometry.undo)
def gradcam_elementwise(classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None) -> Tensor:
    """Where a layer speaks for the class, each channel at each place by itself.

    Activations times gradients, cut at zero for every channel and place before they are summed, so that
    evidence against the class takes nothing away. Where activations are never negative it is LayerCAM.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.

    Returns:
        (N, 1, H, W) attribution, at least zero, in units of the logit.

    Raises:
        NetworkError: the network has no feature map.
    """
    activations, score = activations_and_score(classifier, images, target, layer)
    return torch.relu(gradient(score, activations) * activations).sum(1, keepdim=True)
