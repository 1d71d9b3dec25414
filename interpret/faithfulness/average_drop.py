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
    """The share of the class's probability that is lost when only what the map shows can be seen.

    Args:
        classifier: the classifier that was explained.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, whose softmax probability is measured; or a score.
        attribution: (N, 1, H, W); cut at zero and divided by its largest value it masks the picture.
        baseline: what the mask hides turns into: black (as in the paper), blur, mean, ...

    Returns:
        (N,) in [0, 1] for probabilities, lower is better; their mean is the paper's average drop.
    """
    whole, seen = scores_with_and_through(classifier, images, target, attribution, baseline)
    return ratio((whole - seen).clamp(min=0), whole)


@torch.no_grad()
def scores_with_and_through(
    classifier: nn.Module, images: Tensor, target: Target, attribution: Tensor, baseline: str | float | Tensor
) -> tuple[Tensor, Tensor]:
    """(N,) scores of the pictures, and of the pictures seen through their maps."""
    view, inputs, maps = laid_on_inputs(classifier, images, attribution)
    mask = maps.clamp(min=0)
    highest = mask.amax((2, 3), keepdim=True).expand_as(mask)
    fill = baseline_for(baseline, classifier, inputs)
    shown = fill + ratio(mask, highest) * (inputs - fill)
    with left_as_found(classifier, inputs.device), torch.no_grad():
        return probability_or_score(view, inputs, target), probability_or_score(view, shown, target)
