"""N-FGSM, single-step training with more noise and no clipping (de Jorge et al. 2022, https://arxiv.org/abs/2202.01181)."""

from collections.abc import Iterator

import torch

from ...core.losses import cross_entropy
from ...core.model import value_and_gradient
from ..batch import Batch, LossOf


def nfgsm(batch: Batch, *, noise: float = 2.0, step_size: float = 1.0) -> Iterator[LossOf]:
    """Images after noise and one step from there, neither of which is put back into the ball (algorithm 1).

    Args:
        batch: to train on.
        noise: how far it reaches, as a share of eps (k).
        step_size: of the attack, as a share of eps (alpha).
    """
    images, generator = batch.images, batch.generator
    drawn = torch.rand(images.shape, generator=generator, device=generator.device).to(images)
    augmented = images + noise * batch.eps * (2 * drawn - 1)
    gradient = value_and_gradient(batch.attacked, augmented, cross_entropy, batch.labels)[2]
    adversarial = (augmented + step_size * batch.eps * gradient.sign()).clamp(0, 1)
    yield lambda: batch.cross_entropy(adversarial)
