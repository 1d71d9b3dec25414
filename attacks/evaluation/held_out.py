"""How often one change for all pictures fools on pictures that it was not made from."""

from typing import Any

import torch
from torch import Tensor

from ..core.labels import predictions
from ..core.losses import is_fooled
from ..core.model import Model, logits_of
from ..transforms.patch_placement import apply_patch

DRAWS = 3  # places of a patch on each picture


@torch.no_grad()
def patch_success(
    model: Model, images: Tensor, patch: Tensor, targets: Tensor, *, seed: int = 0, **options: Any
) -> float:
    """The share of images (N, C, H, W) that are taken for the targets (N,), with a patch at several random places.

    The options are those of ``apply_patch``, whose seed rises from place to place.
    """
    patched = (apply_patch(images, patch, seed=seed + draw, **options) for draw in range(DRAWS))
    hits = [is_fooled(logits_of(model, views), targets, targeted=True) for views in patched]
    return float(torch.cat(hits).float().mean())


@torch.no_grad()
def perturbation_success(
    model: Model, images: Tensor, perturbation: Tensor, labels: Tensor | None = None, *, targeted: bool = False
) -> float:
    """The share of images (N, ...) that a perturbation (...) fools.

    The labels (N,) are the true classes, by default the model's own predictions, or with ``targeted`` the targets.
    """
    labels = predictions(model, images) if labels is None else labels
    return float(is_fooled(logits_of(model, (images + perturbation).clamp(0, 1)), labels, targeted).float().mean())
