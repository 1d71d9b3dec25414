"""TRADES (Zhang et al. 2019, https://arxiv.org/abs/1901.08573)."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ...pgd import pgd
from ..batch import Batch, LossOf


def trades(batch: Batch, *, beta: float = 6.0, steps: int = 10, step_size: float | None = None) -> Iterator[LossOf]:
    """Right on clean images, and the same answer for those nearby (eq. 5; algorithm 1).

    The inner attack raises the divergence from the clean prediction, which is computed once. It starts a little beside
    the image, where the gradient of the divergence is zero.

    Args:
        batch: to train on.
        beta: the weight of the second part (1 / lambda).
        steps: of the attack.
        step_size: of the attack, as a share of eps; ``2.5 / steps`` by default.
    """
    images, generator = batch.images, batch.generator
    with torch.no_grad():
        clean = batch.attacked(images).softmax(1)
    noise = 0.001 * torch.randn(images.shape, generator=generator, device=generator.device).to(images)
    adversarial = pgd(
        batch.attacked,
        images,
        batch.labels,
        eps=batch.eps,
        steps=steps,
        step_size=batch.step_size(steps, step_size),
        loss=lambda logits, _: divergence(logits.log_softmax(1), clean),
        start=images + noise,
    )

    def loss_of() -> Tensor:
        logits = batch.model(images)
        apart = divergence(batch.model(adversarial).log_softmax(1), logits.softmax(1)).mean()
        return batch.cross_entropy(images, logits) + beta * apart

    yield loss_of


def divergence(log_probabilities: Tensor, reference: Tensor) -> Tensor:
    """(N,) the Kullback-Leibler divergences from reference distributions (N, C) to others, given by logarithms."""
    return F.kl_div(log_probabilities, reference, reduction="none").sum(1)
