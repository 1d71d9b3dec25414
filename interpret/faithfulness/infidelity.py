"""Infidelity (Yeh et al. 2019, https://arxiv.org/abs/1901.09392), by captum."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..explainers.from_captum import one_by_one, quietly
from ..network.hooks import left_as_found
from ..scores import Target, score_of, target_of
from .curves import laid_on_inputs


def infidelity(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    attribution: Tensor,
    *,
    noise: float = 0.03,
    samples: int = 20,
    normalize: bool = True,
    seed: int = 0,
    max_batch: int = 32,
) -> Tensor:
    """How badly a map foretells the change of the score under noise.

    This is the mean square of a difference: the noise times the attribution, summed over values, minus the fall of the
    score when the noise is subtracted from the picture (definition 2.1). Where a map has one value a pixel, this value
    counts for each channel.

    Args:
        classifier: the classifier that was explained.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, whose logit is measured; or a score.
        attribution: (N, 1, H, W) or (N, 3, H, W).
        noise: standard deviation of the noise.
        samples: how often it is drawn.
        normalize: whether each map is scaled by the factor that serves it best; otherwise maps in different units
            cannot be compared.
        seed: of the noise, which is the same for every image.
        max_batch: passes at once.

    Returns:
        (N,) at least 0, lower is better.
    """
    import captum.metrics

    channels = attribution.split(1, dim=1)
    view, inputs, _ = laid_on_inputs(classifier, images, channels[0])
    maps = torch.cat([laid_on_inputs(classifier, images, channel)[2] for channel in channels], 1)
    maps = maps.expand_as(inputs).contiguous()

    def measured(_: Tensor, row: int) -> Tensor:
        def score(noisy: Tensor) -> Tensor:
            return score_of(view, noisy, target_of(target, torch.full((len(noisy),), row, device=noisy.device)))

        return captum.metrics.infidelity(
            score,
            _perturbation(noise, seed),
            inputs[row : row + 1],
            maps[row : row + 1],
            n_perturb_samples=samples,
            max_examples_per_batch=max_batch,
            normalize=normalize,
        )

    with left_as_found(classifier, inputs.device), torch.no_grad(), quietly():
        return one_by_one(measured, inputs)


def _perturbation(noise: float, seed: int) -> Callable[..., tuple[Tensor, Tensor]]:
    """What captum calls for noise of a standard deviation, and for the inputs from which it is subtracted."""
    generator = torch.Generator().manual_seed(seed)

    def perturb(inputs: Tensor, _: Tensor | None = None) -> tuple[Tensor, Tensor]:
        # One draw at a time, so that the size of a batch makes no difference.
        drawn = torch.stack([torch.randn(inputs.shape[1:], generator=generator) for _ in inputs])
        change = noise * drawn.to(inputs)
        return change, inputs - change

    return perturb
