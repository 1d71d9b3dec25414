"""What a training run reports while it goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class BatchDone:
    """A batch has been trained on."""

    epoch: int  # from 0
    batch: int  # of this epoch, from 1
    batches: int  # of an epoch
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch has been validated, and the files are written."""

    row: dict[str, Any]  # its loss and accuracies


@dataclass(frozen=True)
class Trouble:
    """Something went wrong in an epoch."""

    row: dict[str, Any]  # of the epoch; its "trouble" is one sentence
    remedy: str  # what is done about it


Watch = Callable[[BatchDone | EpochDone | Trouble], None]
