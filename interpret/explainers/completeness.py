"""How far an attribution that should add up to a score does not."""

import logging

import torch
from torch import Tensor, nn

from ..scores import Target, score_of

LARGEST = 0.01  # of what is wanted; a larger gap is told

_log = logging.getLogger(__name__)


def tell_gaps(method: str, found: Tensor, wanted: Tensor, what: str = "the score rises by") -> None:
    """Log for each picture what its attribution adds up to (N,), where that is over 1 % off what is wanted (N,)."""
    for total, aim in zip(found.tolist(), wanted.tolist(), strict=True):
        if not abs(total - aim) <= LARGEST * abs(aim):
            off = 100 * abs(total / aim - 1) if aim else float("inf")
            _log.info("completeness gap of %s: it adds up to %.4g, %s %.4g: %.1f %% off", method, total, what, aim, off)


@torch.no_grad()
def tell_rise(
    method: str, found: Tensor, classifier: nn.Module, inputs: Tensor, target: Target, *, starts: list[Tensor]
) -> None:
    """The same for an attribution (N, ...) of the mean rise of the score from baselines (N, ...) to the inputs."""
    before = torch.stack([score_of(classifier, start, target) for start in starts]).mean(0)
    tell_gaps(method, found.flatten(1).sum(1), score_of(classifier, inputs, target) - before)
