"""MART, misclassification aware adversarial training (Wang et al. 2020, https://openreview.net/forum?id=rklOg6EFwS)."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.ascent import Model
from ...pgd import pgd
from . import LossOf


def mart(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    attacked: Model,
    eps: float,
    generator: torch.Generator,
    memory: dict[str, Any],
    beta: float = 5.0,
    steps: int = 10,
    step_size: float | None = None,
) -> Iterator[LossOf]:
    """A boosted cross-entropy on adversarial pictures, and sameness where the clean ones are doubtful (eq. 11).

    Args:
        beta: the weight of sameness (lambda).
        steps: of the attack.
        step_size: of the attack, as a share of eps; ``2.5 / steps`` by default.
    """
    length = eps * (2.5 / steps if step_size is None else step_size)
    adversarial = pgd(attacked, images, labels, eps=eps, steps=steps, step_size=length, seed=generator)

    def loss_of() -> Tensor:
        return mart_loss(model(images), model(adversarial), labels, beta)

    yield loss_of


def mart_loss(clean: Tensor, adversarial: Tensor, labels: Tensor, beta: float) -> Tensor:
    """The loss of clean and of adversarial logits (N, C); the small constants are the authors'."""
    probabilities, nearby = clean.softmax(1), adversarial.softmax(1)
    wrong = nearby.scatter(1, labels[:, None], -1).amax(1)  # the likeliest of the other classes
    boosted = F.cross_entropy(adversarial, labels) - (1.0001 - wrong + 1e-12).log().mean()
    apart = F.kl_div((nearby + 1e-12).log(), probabilities, reduction="none").sum(1)
    doubt = 1.0000001 - probabilities.gather(1, labels[:, None])[:, 0]
    return boosted + beta * (apart * doubt).mean()
