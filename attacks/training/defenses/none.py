"""Training on the clean images."""

from collections.abc import Iterator

from ..batch import Batch, LossOf


def none(batch: Batch) -> Iterator[LossOf]:
    """The cross-entropy of the clean images: no defense, for comparison."""
    yield lambda: batch.cross_entropy(batch.images)
