"""Training on single gradient steps (Goodfellow et al. 2015, https://arxiv.org/abs/1412.6572)."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...climb import Model
from ...fgsm import fgsm as attack
from . import LossOf


def fgsm(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    attacked: Model,
    eps: float,
    generator: torch.Generator,
    memory: dict[str, Any],
    step_size: float = 1.0,
) -> Iterator[LossOf]:
    """Pictures after one step from where they are.

    Cheap, and known to overfit catastrophically: the network learns to mask its gradient.

    Args:
        step_size: of the attack, as a share of eps.
    """
    adversarial = attack(attacked, images, labels, eps=eps, step_size=step_size * eps)
    yield lambda: F.cross_entropy(model(adversarial), labels)
