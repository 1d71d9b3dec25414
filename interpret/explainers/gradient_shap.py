"""Expected gradients, or gradient SHAP (Lundberg and Lee 2017, https://arxiv.org/abs/1705.07874), by captum."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..images.baselines import Baseline, baselines_for
from ..scores import Target
from .completeness import tell_rise
from .contract import explainer
from .from_captum import one_by_one, quietly, score_of_row, seeded


@explainer(Geometry.spread)
def gradient_shap(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    baseline: str | float | Tensor | Sequence[Baseline] = "black",
    samples: int = 25,
    noise: float = 0.05,
    seed: int = 0,
) -> Tensor:
    """How much each pixel adds to the score, from gradients at random points on the way to the picture.

    The difference to the baseline times the gradient at random points between it and the noisy
    picture, averaged: an estimate of Shapley values for a smooth network. A completeness gap above 1 %
    is told; more points make it smaller.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        baseline: where the ways begin: black, white, grey, mean, blur, uniform or a number, or several with commas, of
            which each point draws one; in Python also a tensor, or a list.
        samples: how many random points are looked at.
        noise: standard deviation of the noise on the picture, whose values lie in [0, 1].
        seed: of the points and the noise.

    Returns:
        (N, 3, H, W) attribution, signed, in units of the logit.
    """
    from captum.attr import GradientShap

    starts = baselines_for(baseline, classifier, images, seed)

    def explain(image: Tensor, row: int) -> Tensor:
        method = GradientShap(score_of_row(classifier, target, row))
        with seeded(seed):
            own = torch.stack([start[row] for start in starts])
            return method.attribute(image, own, n_samples=samples, stdevs=noise)

    with quietly():
        attribution = one_by_one(explain, images)
    tell_rise("gradient SHAP", attribution, classifier, images, target, starts=starts)
    return attribution
