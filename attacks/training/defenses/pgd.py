"""Adversarial training (Madry et al. 2018, https://arxiv.org/abs/1706.06083)."""

from collections.abc import Iterator

from torch import Tensor

from ...pgd import pgd as attack
from ..batch import Batch, LossOf


def pgd(batch: Batch, *, steps: int = 10, step_size: float | None = None) -> Iterator[LossOf]:
    """Images that projected gradient descent has made as hard as it can (eq. 2.1).

    Args:
        batch: to train on.
        steps: of the attack.
        step_size: of the attack, as a share of eps; ``2.5 / steps`` by default.
    """
    adversarial = adversarial_images(batch, steps, step_size)
    yield lambda: batch.cross_entropy(adversarial)


def adversarial_images(batch: Batch, steps: int, step_size: float | None) -> Tensor:
    """(n, ...) images within eps, of a high cross-entropy."""
    return attack(
        batch.attacked,
        batch.images,
        batch.labels,
        eps=batch.eps,
        steps=steps,
        step_size=batch.step_size(steps, step_size),
        seed=batch.generator,
    )
