"""Training on the clean images."""

from collections.abc import Iterator

import torch.nn.functional as F

from ..batch import Batch, LossOf


def none(batch: Batch) -> Iterator[LossOf]:
    """The cross-entropy of the clean images: no defense, for comparison."""
    yield lambda: F.cross_entropy(batch.model(batch.images), batch.labels)
