"""How often one change for all pictures fools on pictures that it was not made from."""

import torch
from torch import Tensor

from ..core.labels import predictions
from ..core.losses import is_fooled
from ..core.model import Model, logits_of
from ..transforms.patch_placement import apply_patch


@torch.no_grad()
def patch_success(
    model: Model,
    images: Tensor,
    patch: Tensor,
    labels: Tensor,
    *,
    share: float | tuple[float, float] = 0.25,
    shape: str = "circle",
    degrees: float = 20,
    targeted: bool = True,
    draws: int = 3,
    seed: int = 0,
) -> float:
    """The share of pictures that a patch fools, each with the patch at several random places.

    Args:
        model: from images (n, C, H, W) in [0, 1] to logits (n, classes).
        images: (N, C, H, W) in [0, 1], that the patch was not trained on.
        patch: (C, side, side) in [0, 1], from ``train_patch``.
        labels: (N,) the classes wanted, or the true ones.
        share: of a picture's area that the patch covers, or the least and the most.
        shape: "circle" or "square".
        degrees: how far it turns, at most, to either side.
        targeted: whether the labels are the classes wanted.
        draws: how many places on each picture.
        seed: the places of each draw are those of ``apply_patch`` with the next higher seed.

    Returns:
        From 0 to 1.
    """
    laid = {"share": share, "shape": shape, "degrees": degrees}
    hits = [
        is_fooled(logits_of(model, apply_patch(images, patch, seed=seed + draw, **laid)), labels, targeted)
        for draw in range(draws)
    ]
    return float(torch.cat(hits).float().mean())


@torch.no_grad()
def perturbation_success(
    model: Model, images: Tensor, perturbation: Tensor, labels: Tensor | None = None, *, targeted: bool = False
) -> float:
    """The share of pictures that a universal perturbation fools.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1], that the perturbation was not made from.
        perturbation: (...) of the shape of one image.
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        targeted: whether the labels are the classes wanted.

    Returns:
        From 0 to 1.
    """
    labels = predictions(model, images) if labels is None else labels
    return float(is_fooled(logits_of(model, (images + perturbation).clamp(0, 1)), labels, targeted).float().mean())
