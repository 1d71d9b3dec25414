"""Training on the pictures as they are."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.ascent import Model
from . import LossOf


def none(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    attacked: Model,
    eps: float,
    generator: torch.Generator,
    memory: dict[str, Any],
) -> Iterator[LossOf]:
    """The cross-entropy of the clean pictures: no defense, for comparison."""
    yield lambda: F.cross_entropy(model(images), labels)
