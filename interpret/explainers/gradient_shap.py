"""Expected gradients, or gradient SHAP (Lundberg and Lee 2017, https://arxiv.org/abs/1705.07874), by captum."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..images.baselines import baseline_for
from ..scores import Target
from .contract import explainer
from .from_captum import one_by_one, quietly, score_of_row, seeded


@explainer(Geometry.spread)
def gradient_shap(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    baseline: str | float | Tensor = "black",
    samples: int = 25,
    noise: float = 0.05,
    seed: int = 0,
) -> Tensor:
    """How much each pixel adds to the score, from gradients at random points on the way to the picture.

    The difference to the baseline times the gradient at random points between it and the noisy
    picture, averaged: an estimate of Shapley values for a smooth network.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        baseline: black, white, grey, mean, blur, uniform or a number; in Python also a tensor.
        samples: how many points.
        noise: deviation of the noise on the picture.
        seed: of the points and the noise.

    Returns:
        (N, 3, H, W) attribution, signed, in units of the logit.
    """
    from captum.attr import GradientShap

    start = baseline_for(baseline, classifier, images, seed)

    def explain(image: Tensor, row: int) -> Tensor:
        method = GradientShap(score_of_row(classifier, target, row))
        with seeded(seed):
            return method.attribute(image, start[row : row + 1], n_samples=samples, stdevs=noise)

    with quietly():
        return one_by_one(explain, images)
