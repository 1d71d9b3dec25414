"""Increase in confidence (Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063)."""

from torch import Tensor, nn

from ..scores import Target
from .average_drop import whole_and_masked_scores


def average_increase(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    attribution: Tensor,
    *,
    baseline: str | float | Tensor = "black",
) -> Tensor:
    """Whether the class is more probable when only what the map shows stays visible.

    Args:
        classifier: the classifier that was explained.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, whose probability is measured; or a score.
        attribution: (N, 1, H, W), which, cut at zero and divided by its largest value, masks the picture.
        baseline: what replaces the hidden pixels: black (as in the paper), blur, mean, white, grey, uniform, a number,
            or a tensor.

    Returns:
        (N,) 1 where it is and 0 where not, higher is better; their mean is the paper's increase in confidence.
    """
    whole, masked = whole_and_masked_scores(classifier, images, target, attribution, baseline)
    return (masked > whole).to(whole)
