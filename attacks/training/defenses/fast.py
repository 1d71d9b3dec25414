"""Fast adversarial training (Wong et al. 2020, https://arxiv.org/abs/2001.03994)."""

from collections.abc import Iterator

import torch

from ...core.losses import cross_entropy
from ...core.model import value_and_gradient
from ..batch import Batch, LossOf


def fast(batch: Batch, *, step_size: float = 1.25) -> Iterator[LossOf]:
    """Images after one step from a random point of the ball (algorithm 3).

    Args:
        batch: to train on.
        step_size: of the attack, as a share of eps; the paper takes 10/255 for 8/255.
    """
    images, generator, eps = batch.images, batch.generator, batch.eps
    noise = torch.rand(images.shape, generator=generator, device=generator.device).to(images)
    delta = (2 * noise - 1) * eps
    # The start is not put into the box: where pixels are 0 or 1, as in digits, the step would undo its randomness.
    gradient = value_and_gradient(batch.attacked, images + delta, cross_entropy, batch.labels)[2]
    delta = (delta + step_size * eps * gradient.sign()).clamp(-eps, eps)
    adversarial = (images + delta).clamp(0, 1)
    yield lambda: batch.cross_entropy(adversarial)
