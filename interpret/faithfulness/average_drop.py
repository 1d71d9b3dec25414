"""Average drop (Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063)."""

import torch
from torch import Tensor, nn

from ..explainers.contract import ratio
from ..images.baselines import baseline_for
from ..network.hooks import left_as_found
from ..scores import Target, probability_or_score
from .curves import laid_on_inputs


def average_drop(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    attribution: Tensor,
    *,
    baseline: str | float | Tensor = "black",
) -> Tensor:
    """The share of the class's probability that is lost when only what the map shows stays visible.

    Args:
        classifier: the classifier that was explained.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, whose probability is measured; or a score.
        attribution: (N, 1, H, W), which, cut at zero and divided by its largest value, masks the picture.
        baseline: what replaces the hidden pixels: black (as in the paper), blur, mean, white, grey, uniform, a number,
            or a tensor.

    Returns:
        (N,) in [0, 1] for probabilities, lower is better; their mean is the paper's average drop.
    """
    whole, masked = whole_and_masked_scores(classifier, images, target, attribution, baseline)
    return ratio((whole - masked).clamp(min=0), whole)


@torch.no_grad()
def whole_and_masked_scores(
    classifier: nn.Module, images: Tensor, target: Target, attribution: Tensor, baseline: str | float | Tensor
) -> tuple[Tensor, Tensor]:
    """(N,) the scores of pictures, and of the pictures masked by their maps."""
    view, inputs, maps = laid_on_inputs(classifier, images, attribution)
    mask = maps.clamp(min=0)
    highest = mask.amax((2, 3), keepdim=True).expand_as(mask)
    fill = baseline_for(baseline, classifier, inputs)
    masked = fill + ratio(mask, highest) * (inputs - fill)
    with left_as_found(classifier, inputs.device), torch.no_grad():
        return probability_or_score(view, inputs, target), probability_or_score(view, masked, target)
