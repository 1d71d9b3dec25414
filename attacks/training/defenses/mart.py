"""MART, misclassification aware adversarial training (Wang et al. 2020, https://openreview.net/forum?id=rklOg6EFwS)."""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from ..batch import Batch, LossOf
from .pgd import adversarial_images


def mart(batch: Batch, *, beta: float = 5.0, steps: int = 10, step_size: float | None = None) -> Iterator[LossOf]:
    """A boosted cross-entropy on adversarial images, and the same answer where clean ones are in doubt (eq. 11).

    Args:
        batch: to train on.
        beta: the weight of the second part (lambda).
        steps: of the attack.
        step_size: of the attack, as a share of eps; ``2.5 / steps`` by default.
    """
    adversarial = adversarial_images(batch, steps, step_size)
    yield lambda: mart_loss(batch.model(batch.images), batch.model(adversarial), batch.labels, beta, batch.smoothing)


def mart_loss(clean: Tensor, adversarial: Tensor, labels: Tensor, beta: float, smoothing: float = 0) -> Tensor:
    """The loss of clean and of adversarial logits (N, C); the small constants are the authors'."""
    probabilities, nearby = clean.softmax(1), adversarial.softmax(1)
    wrong = nearby.scatter(1, labels[:, None], -1).amax(1)  # of the likeliest other class
    boosted = F.cross_entropy(adversarial, labels, label_smoothing=smoothing) - (1.0001 - wrong + 1e-12).log().mean()
    divergence = F.kl_div((nearby + 1e-12).log(), probabilities, reduction="none").sum(1)
    doubt = 1.0000001 - probabilities.gather(1, labels[:, None])[:, 0]
    return boosted + beta * (divergence * doubt).mean()
