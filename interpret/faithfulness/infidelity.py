"""Infidelity (Yeh et al. 2019, https://arxiv.org/abs/1901.09392), by captum."""

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

    The mean square of the noise times the attribution, summed, less the fall of the score when the
    noise is taken off (definition 2.1). A map of one value a pixel counts that value for each channel.

    Args:
        classifier: the classifier that was explained.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, whose logit is measured; or a score.
        attribution: (N, 1, H, W) or (N, 3, H, W).
        noise: its deviation.
        samples: how often it is drawn.
        normalize: scale each map by the factor that serves it best, without which maps in different
            units cannot be compared.
        seed: of the noise, which is the same for every image.
        max_batch: passes at once.

    Returns:
        (N,) at least 0, lower is better.
    """
    import captum.metrics

    channels = [attribution[:, channel : channel + 1] for channel in range(attribution.shape[1])]
    view, inputs, _ = laid_on_inputs(classifier, images, channels[0])
    maps = torch.cat([laid_on_inputs(classifier, images, channel)[2] for channel in channels], 1)
    maps = maps.expand_as(inputs).contiguous()

    def measured(row: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)

        def perturb(given: Tensor, _: Tensor | None = None) -> tuple[Tensor, Tensor]:
            # One draw at a time, so that chunks make no difference.
            drawn = torch.stack([torch.randn(given.shape[1:], generator=generator) for _ in given])
            change = noise * drawn.to(given)
            return change, given - change

        def score(given: Tensor) -> Tensor:
            rows = torch.full((len(given),), row, device=given.device)
            return score_of(view, given, target_of(target, rows))

        return captum.metrics.infidelity(
            score,
            perturb,
            inputs[row : row + 1],
            maps[row : row + 1],
            n_perturb_samples=samples,
            max_examples_per_batch=max_batch,
            normalize=normalize,
        )

    with left_as_found(classifier, inputs.device), torch.no_grad(), quietly():
        return one_by_one(lambda _, row: measured(row), inputs)
