"""Shapley-CAM (Cai 2025, https://arxiv.org/abs/2501.06261)."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target, class_score, log_probability, target_of
from .contract import activations_and_score, explainer, weighted_map
from .sharing import shared_passes


@dataclass(frozen=True)
class _ResidualSoftmax:
    """The paper's utility of a class: its logit plus the logarithm of its probability."""

    target: Target
    task: str = "classification"

    def __call__(self, logits: Tensor) -> Tensor:
        return class_score(logits, self.target) + log_probability(self.target).of_task(self.task)(logits)

    def of_rows(self, rows: Tensor) -> "_ResidualSoftmax":
        """The same score for the images with these numbers."""
        return replace(self, target=target_of(self.target, rows))

    def of_task(self, task: str) -> "_ResidualSoftmax":
        """The same score for a classifier of this task."""
        return replace(self, task=task)


@explainer(Geometry.undo)
def shapleycam(
    classifier: nn.Module, images: Tensor, target: Target, *, layer: str | None = None, rest: bool = True
) -> Tensor:
    """Where a layer speaks for the class, each channel by its Shapley value to second order.

    Grad-CAM whose gradient is corrected by half the Hessian times the activations: that is the Shapley value of the
    channels if the score is expanded to second order. Of a class the score is the paper's ReST, its logit plus
    the logarithm of its probability; logits alone are straight above the last feature map of most networks,
    where the correction is nothing and the map is Grad-CAM's.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score, which is explained as it is.
        layer: name of the layer to look at; the last feature map by default.
        rest: explain a class by its logit plus the logarithm of its probability (ReST); without it, by its logit alone.

    Returns:
        (N, 1, H, W) attribution, at least zero, in units of the logit.

    Raises:
        NetworkError: the network has no feature map.
    """
    if rest and not callable(target) and getattr(classifier, "task", "classification") != "regression":
        target = _ResidualSoftmax(target)
    try:
        activations, slope, bend = _second_order(classifier, images, target, layer)
    except RuntimeError as error:
        if "not implemented" not in str(error):
            raise
        # Fast attention can be differentiated once; this needs a pass of its own, by the plain one.
        with shared_passes(False), sdpa_kernel(SDPBackend.MATH):
            activations, slope, bend = _second_order(classifier, images, target, layer)
    corrected = slope if bend is None else slope - bend / 2
    return weighted_map(activations, corrected.mean((2, 3), keepdim=True))


def _second_order(
    classifier: nn.Module, images: Tensor, target: Target, layer: str | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The activations of a layer, the gradient by them, and the Hessian times them, or None if that is zero."""
    activations, score = activations_and_score(classifier, images, target, layer)
    slope, bend, keep = gradient(score, activations, keep_graph=True), None, not activations.is_leaf
    if slope.requires_grad:
        options = {"retain_graph": True, "create_graph": keep, "allow_unused": True}
        (bend,) = torch.autograd.grad(slope, activations, activations, **options)
    return activations, slope if keep else slope.detach(), bend
