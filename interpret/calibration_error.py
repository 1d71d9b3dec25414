"""Does a network know how sure it may be? Calibration (Guo et al. 2017, https://arxiv.org/abs/1706.04599)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .errors import InterpretError

DRAWS = 1000  # bootstrap samples


@dataclass(frozen=True)
class Calibration:
    """How probabilities and accuracy agree on N pictures."""

    error: float  # the expected calibration error, in [0, 1]
    low: float  # the ends of its 95 % bootstrap interval
    high: float
    counts: list[int]  # of the pictures in each bin of probability, from 0 to 1
    confidences: list[float]  # the mean probability in each bin; NaN where it is empty
    accuracies: list[float]  # the share that is right in each bin


def calibration(probabilities: Tensor, labels: Tensor, *, bins: int = 15, seed: int = 0) -> Calibration:
    """The expected calibration error of top predictions, and what a reliability diagram shows.

    Pictures are sorted into bins of equal width by the probability of their top class; the error is the mean distance
    of probability and accuracy, each bin with the share of its pictures (equation 3).

    Args:
        probabilities: (N, classes), each row with a sum of 1.
        labels: (N,) the true classes.
        bins: how many.
        seed: of the interval, for which pictures are drawn with replacement.

    Returns:
        The error with its interval, and the bins.

    Raises:
        InterpretError: no pictures, no bins, or shapes that do not fit.
    """
    if bins < 1 or probabilities.dim() != 2 or not len(probabilities) or labels.shape != probabilities.shape[:1]:
        raise InterpretError("calibration takes probabilities (N, classes) and labels (N,) of a picture or more")
    confidence, predicted = probabilities.double().max(1)
    right = (predicted == labels).double()
    places = (confidence * bins).long().clamp(0, bins - 1)
    counts, sure, correct = (_sums(places, values, bins) for values in (torch.ones_like(right), confidence, right))
    drawn = torch.randint(len(right), (DRAWS, len(right)), generator=torch.Generator().manual_seed(seed))
    difference = (confidence - right).cpu()
    errors = torch.stack([_sums(places.cpu()[each], difference[each], bins).abs().sum() for each in drawn]) / len(right)
    low, high = errors.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    error = float((sure - correct).abs().sum() / len(right))
    return Calibration(error, low, high, counts.long().tolist(), (sure / counts).tolist(), (correct / counts).tolist())


def _sums(places: Tensor, values: Tensor, bins: int) -> Tensor:
    return torch.zeros(bins, dtype=values.dtype, device=values.device).index_add(0, places, values)
