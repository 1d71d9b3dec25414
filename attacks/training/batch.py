"""What a defense is given to train on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.model import Model

LossOf = Callable[[], Tensor]
Defense = Callable[..., Iterator[LossOf]]  # takes a Batch, and options of its own


@dataclass(frozen=True)
class Batch:
    """A batch of samples, and the network that is trained on it."""

    model: Model  # that is trained
    attacked: Model  # the same for attacks, by default in evaluation mode
    images: Tensor  # (n, ...) in [0, 1]
    labels: Tensor  # (n,)
    eps: float  # radius of the Linf ball
    generator: torch.Generator  # for everything random
    memory: dict[str, Tensor]  # what a defense keeps from batch to batch, by name
    smoothing: float = 0.0  # share of the labels' weight that is spread over all classes

    def cross_entropy(self, images: Tensor, logits: Tensor | None = None) -> Tensor:
        """The mean cross-entropy of the trained model at images (n, ...), whose logits (n, C) may be known already."""
        logits = self.model(images) if logits is None else logits
        return F.cross_entropy(logits, self.labels, label_smoothing=self.smoothing)

    def step_size(self, steps: int, share: float | None) -> float:
        """The step size of an attack that is a share of eps, by default 2.5 / steps of it."""
        return self.eps * (2.5 / steps if share is None else share)
