"""Fast adversarial training (Wong et al. 2020, https://arxiv.org/abs/2001.03994)."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.ascent import Model
from ...core.losses import cross_entropy, slope
from . import LossOf


def fast(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    attacked: Model,
    eps: float,
    generator: torch.Generator,
    memory: dict[str, Any],
    step_size: float = 1.25,
) -> Iterator[LossOf]:
    """Pictures after one step from a random point of the ball (algorithm 3).

    Args:
        step_size: of the attack, as a share of eps; the paper's 10/255 for 8/255.
    """
    noise = torch.rand(images.shape, generator=generator, device=generator.device).to(images)
    delta = (2 * noise - 1) * eps
    # The start is not put into the box: where pixels are 0 or 1, as in digits, the step would undo its chance.
    gradient = slope(attacked, images + delta, lambda logits: cross_entropy(logits, labels))[2]
    delta = (delta + step_size * eps * gradient.sign()).clamp(-eps, eps)
    adversarial = (images + delta).clamp(0, 1)
    yield lambda: F.cross_entropy(model(adversarial), labels)
