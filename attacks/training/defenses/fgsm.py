"""Training on single gradient steps (Goodfellow et al. 2015, https://arxiv.org/abs/1412.6572)."""

from collections.abc import Iterator

from ...fgsm import fgsm as attack
from ..batch import Batch, LossOf
from .fast import fast


def fgsm(batch: Batch, *, step_size: float = 1.0, random_start: bool = False) -> Iterator[LossOf]:
    """Images after one step from the clean ones.

    It is cheap, and known to overfit catastrophically: the network learns to mask its gradient.

    Args:
        batch: to train on.
        step_size: of the attack, as a share of eps.
        random_start: whether the step begins at a random point of the ball, as in ``fast``; the loop turns to this,
            with a ``step_size`` of 1.25, once the network has overfitted.
    """
    if random_start:
        yield from fast(batch, step_size=step_size)
        return
    adversarial = attack(batch.attacked, batch.images, batch.labels, eps=batch.eps, step_size=step_size * batch.eps)
    yield lambda: batch.cross_entropy(adversarial)
