"""SmoothGrad (Smilkov et al. 2017, https://arxiv.org/abs/1706.03825)."""

from typing import Literal

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target, target_of
from .contract import explainer, input_gradient
from .passes import noise as noise_of
from .passes import passes

Average = Literal["plain", "squared", "variance"]


@explainer(Geometry.spread)
def smoothgrad(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    samples: int = 25,
    noise: float = 0.15,
    average: Average = "plain",
    seed: int = 0,
    max_batch: int = 16,
) -> Tensor:
    """The gradient, averaged over noisy copies of the picture, so that its speckle cancels.

    The mean of the gradients at the input plus Gaussian noise whose deviation is a share of the
    input's range (section 2); or the mean of their squares (Hooker et al. 2019), or their variance
    (Adebayo et al. 2018, VarGrad).

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        samples: how many noisy copies.
        noise: standard deviation of the noise as a share of the input's largest value less its smallest.
        average: what is averaged: plain gradients, their squares, or how far they vary, which is never negative.
        seed: of the noise, which is the same for every image.
        max_batch: how many passes are made at once; fewer if memory runs out.

    Returns:
        (N, 3, H, W) gradient, signed if plain, in units of the logit per unit of brightness, or its square.
    """
    rows_of = images.flatten(1)
    spread = (rows_of.amax(1) - rows_of.amin(1)).view(-1, *[1] * (images.dim() - 1)) * noise

    def run(rows: Tensor, steps: Tensor) -> Tensor:
        drawn = torch.stack([noise_of(images.shape[1:], seed, step, images) for step in steps.tolist()])
        return input_gradient(classifier, images[rows] + spread[rows] * drawn, target_of(target, rows))

    mean, squares = torch.zeros_like(images), torch.zeros_like(images)
    work = passes(run, len(images), samples, max_batch=max_batch, what="smoothgrad", device=images.device)
    for image, step, gradient in work:
        if average == "squared":
            gradient = gradient**2
        # Welford's update sums squares of differences, which rounding cannot make negative.
        off = gradient - mean[image]
        mean[image] = mean[image] + off / (step + 1)
        squares[image] = squares[image] + off * (gradient - mean[image])
    return (squares / samples).clamp(min=0) if average == "variance" else mean
