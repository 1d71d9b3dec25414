"""Training on single gradient steps (Goodfellow et al. 2015, https://arxiv.org/abs/1412.6572)."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.ascent import Model
from ...fgsm import fgsm as attack
from . import LossOf
from .fast import fast


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
    random_start: bool = False,
) -> Iterator[LossOf]:
    """Pictures after one step from where they are.

    Cheap, and known to overfit catastrophically: the network learns to mask its gradient.

    Args:
        step_size: of the attack, as a share of eps.
        random_start: whether the step begins at a random point of the ball, as in ``fast``, which is
            what the loop turns to, with a ``step_size`` of 1.25, once the network has overfitted.
    """
    if random_start:
        yield from fast(
            model,
            images,
            labels,
            attacked=attacked,
            eps=eps,
            generator=generator,
            memory=memory,
            step_size=step_size,
        )
        return
    adversarial = attack(attacked, images, labels, eps=eps, step_size=step_size * eps)
    yield lambda: F.cross_entropy(model(adversarial), labels)
