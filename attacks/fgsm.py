"""The fast gradient sign method (Goodfellow et al. 2015, https://arxiv.org/abs/1412.6572)."""

import math

import torch
from torch import Tensor

from .core.contract import attack
from .core.losses import Loss
from .core.model import Model
from .core.seeds import Seed
from .norm_names import default_radius, norm_name
from .pgd import pgd


@attack
def fgsm(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    random_start: bool = False,
    step_size: float | Tensor | None = None,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """One step along the sign of the gradient, as long as the ball allows (section 4).

    With ``random_start`` it starts at any point of the ball and steps 1.25 eps, as in fast adversarial training (Wong
    et al. 2020).

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: the largest change, in the norm: one for all samples, or (N,); by default 8/255 in Linf, and in L2 two
            levels of each value (3 for 224 x 224 pixels in colour); in L1 it grows with the side, to 84.
        norm: what eps bounds: "Linf" each value, "L2" (the fast gradient method) the root of the sum of squares, "L1"
            the sum of sizes, and "L0" how many values change.
        random_start: whether to start at a random point within eps.
        step_size: length of the step; by default eps, or 1.25 eps from a random start.
        loss: what is raised: "cross_entropy", "margin", "dlr" or a function of logits and labels.
        targeted: whether the labels are the classes to reach.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.
        seed: of the random start: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm)
    eps = default_radius(norm, math.prod(images.shape[1:])) if eps is None else eps
    if step_size is None and norm != "L0":
        step_size = torch.as_tensor(eps) * (1.25 if random_start else 1)
    return pgd(
        model,
        images,
        labels,
        eps=eps,
        norm=norm,
        step_size=step_size,
        steps=1,
        random_start=random_start,
        loss=loss,
        targeted=targeted,
        quantize=quantize,
        batch_size=batch_size,
        seed=seed,
    )
