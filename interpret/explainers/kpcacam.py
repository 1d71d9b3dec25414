"""KPCA-CAM (Karmani et al. 2024, https://arxiv.org/abs/2410.00267)."""

from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import InterpretError
from ..geometry import Geometry
from ..scores import Target
from .contract import activations_and_score, explainer, ratio
from .projections import signed

MOST_PLACES = 4096  # whose matrix of similarities is 64 MiB, and its eigenvectors a matter of seconds


@explainer(Geometry.undo)
def kpcacam(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    layer: str | None = None,
    kernel: Literal["sigmoid", "rbf", "poly", "linear"] = "sigmoid",
    gamma: float | None = None,
) -> Tensor:
    """The strongest pattern of a layer, whatever the class, also where it is curved.

    Eigen-CAM with the kernel trick: the places of the layer, less their mean, are projected on the first component
    of kernel PCA. The class is not looked at. Two things are left open by the method and settled here: a place without
    any activation is zero, and the sign is the one by which the map has a sum above zero. pytorch-grad-cam cuts
    the map at its mean and takes the largest component as positive.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.
        kernel: how alike two places x and y are: sigmoid is tanh(gamma x y + 1), rbf exp(-gamma |x - y|^2), poly
            (gamma x y + 1)^3, and linear x y.
        gamma: factor in the kernel; one over the number of channels by default.

    Returns:
        (N, 1, H, W), without a unit.

    Raises:
        NetworkError: the network has no feature map.
        InterpretError: a layer with more than 4096 places.
    """
    activations, _ = activations_and_score(classifier, images, target, layer, differentiated=False)
    places = activations.flatten(2).mT  # (N, places, K)
    if places.shape[1] > MOST_PLACES:
        raise InterpretError(
            f"KPCA-CAM compares every place with every other, and the layer has {places.shape[1]}; "
            f"name a later one, of up to {MOST_PLACES}"
        )
    gamma = 1 / places.shape[2] if gamma is None else gamma
    mean = places.mean(1, keepdim=True)
    around = places - mean
    alike = _similar(around, around, kernel, gamma)
    centred = alike - alike.mean(1, keepdim=True) - alike.mean(2, keepdim=True) + alike.mean((1, 2), keepdim=True)
    values, vectors = torch.linalg.eigh(centred)
    first, length = vectors[..., -1:], values[:, -1:].clamp(min=0).sqrt()
    nothing = _similar(-mean, around, kernel, gamma)  # a place without any activation
    projected = ((alike - nothing) @ first)[..., 0]
    projected = ratio(projected, length.expand_as(projected))
    return signed(projected, torch.ones_like(projected)).unflatten(1, activations.shape[2:])[:, None]


def _similar(first: Tensor, second: Tensor, kernel: str, gamma: float) -> Tensor:
    """(N, p, q), the kernel of each of (N, p, K) with each of (N, q, K)."""
    if kernel == "rbf":
        return torch.exp(-gamma * torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").square())
    products = first @ second.mT
    if kernel == "linear":
        return products
    return torch.tanh(gamma * products + 1) if kernel == "sigmoid" else (gamma * products + 1) ** 3
