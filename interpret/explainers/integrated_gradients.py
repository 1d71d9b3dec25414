"""Integrated gradients (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365)."""

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InterpretError
from ..geometry import Geometry
from ..images.baselines import baseline_for
from ..scores import Target, target_of
from .completeness import tell_rise
from .contract import explainer, input_gradient
from .passes import passes


@explainer(Geometry.spread)
def integrated_gradients(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    baseline: str | float | Tensor = "black",
    steps: int = 50,
    seed: int = 0,
    max_batch: int = 16,
) -> Tensor:
    """How much each pixel adds to the score on the way from nothing to the picture.

    The difference to a baseline times the mean gradient on the straight line from it (eq. 1), by
    Gauss-Legendre quadrature. The attribution adds up to the difference of the two scores, except for
    a completeness gap, which is told above 1 % and which more steps make smaller.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        baseline: where the way begins: black, white, grey, mean, blur, uniform or a number; in Python also a tensor.
        steps: how many points are looked at on the way.
        seed: of the uniform baseline.
        max_batch: how many passes are made at once; fewer if memory runs out.

    Returns:
        (N, 3, H, W) attribution, signed, in units of the logit.
    """
    if steps < 1:
        raise InterpretError(f"integrated gradients need at least one step, not {steps}")
    start = baseline_for(baseline, classifier, images, seed)
    places, shares = (values / 2 for values in np.polynomial.legendre.leggauss(steps))
    places = torch.from_numpy(places + 0.5).to(images)
    shares = shares.tolist()

    def run(rows: Tensor, numbers: Tensor) -> Tensor:
        place = places[numbers].view(-1, *[1] * (images.dim() - 1))
        on_the_way = start[rows] + place * (images[rows] - start[rows])
        return input_gradient(classifier, on_the_way, target_of(target, rows))

    mean = torch.zeros_like(images)
    work = passes(run, len(images), steps, max_batch=max_batch, what="integrated gradients", device=images.device)
    for image, step, gradient in work:
        mean[image] = mean[image] + shares[step] * gradient
    attribution = (images - start) * mean
    tell_rise("integrated gradients", attribution, classifier, images, target, starts=[start])
    return attribution
