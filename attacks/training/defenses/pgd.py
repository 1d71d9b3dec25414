"""Adversarial training (Madry et al. 2018, https://arxiv.org/abs/1706.06083)."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.ascent import Model
from ...pgd import pgd as attack
from . import LossOf


def pgd(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    attacked: Model,
    eps: float,
    generator: torch.Generator,
    memory: dict[str, Any],
    steps: int = 10,
    step_size: float | None = None,
) -> Iterator[LossOf]:
    """Pictures that projected gradient descent has made as hard as it can (eq. 2.1).

    Args:
        steps: of the attack.
        step_size: of the attack, as a share of eps; ``2.5 / steps`` by default.
    """
    length = eps * (2.5 / steps if step_size is None else step_size)
    adversarial = attack(attacked, images, labels, eps=eps, steps=steps, step_size=length, seed=generator)
    yield lambda: F.cross_entropy(model(adversarial), labels)
