"""TRADES (Zhang et al. 2019, https://arxiv.org/abs/1901.08573)."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.ascent import Model
from ...pgd import pgd
from . import LossOf


def trades(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    attacked: Model,
    eps: float,
    generator: torch.Generator,
    memory: dict[str, Any],
    beta: float = 6.0,
    steps: int = 10,
    step_size: float | None = None,
) -> Iterator[LossOf]:
    """Right on clean pictures, and the same on those nearby (eq. 5; algorithm 1).

    The inner attack raises the divergence from the clean prediction, which is computed once, and
    starts a little beside the picture, where its gradient is zero.

    Args:
        beta: the weight of sameness (1 / lambda).
        steps: of the attack.
        step_size: of the attack, as a share of eps; ``2.5 / steps`` by default.
    """
    with torch.no_grad():
        clean = attacked(images).softmax(1)
    noise = 0.001 * torch.randn(images.shape, generator=generator, device=generator.device).to(images)
    adversarial = pgd(
        attacked,
        images,
        labels,
        eps=eps,
        steps=steps,
        step_size=eps * (2.5 / steps if step_size is None else step_size),
        loss=lambda logits, _: divergence(logits.log_softmax(1), clean),
        start=images + noise,
    )

    def loss_of() -> Tensor:
        logits = model(images)
        apart = divergence(model(adversarial).log_softmax(1), logits.softmax(1)).mean()
        return F.cross_entropy(logits, labels) + beta * apart

    yield loss_of


def divergence(log_probabilities: Tensor, of: Tensor) -> Tensor:
    """(N,) the Kullback-Leibler divergences of distributions (N, C) from others, which are given by logarithms."""
    return F.kl_div(log_probabilities, of, reduction="none").sum(1)
