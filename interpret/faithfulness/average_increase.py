"""Increase in confidence (Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063)."""

from torch import Tensor, nn

from ..scores import Target
from .average_drop import scores_with_and_through


def average_increase(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    attribution: Tensor,
    *,
    baseline: str | float | Tensor = "black",
) -> Tensor:
    """Whether the class is more probable when only what the map shows can be seen.

    Args:
        classifier: the classifier that was explained.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, whose softmax probability is measured; or a score.
        attribution: (N, 1, H, W); cut at zero and divided by its largest value it masks the picture.
        baseline: what the mask hides turns into: black (as in the paper), blur, mean, ...

    Returns:
        (N,), 1 where it is and 0 where not, higher is better; their mean is the paper's share.
    """
    whole, seen = scores_with_and_through(classifier, images, target, attribution, baseline)
    return (seen > whole).to(whole)
