"""ROAD, remove and debias (Rong et al. 2022, https://arxiv.org/abs/2202.00449)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..explainers.passes import noise as noise_of
from ..explainers.passes import passes
from ..network.hooks import left_as_found
from ..scores import Target, probability_or_score, target_of
from .curves import laid_on_inputs, ranks
from .imputation import imputed


def road(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    attribution: Tensor,
    *,
    shares: Sequence[float] = (0.2, 0.4, 0.6, 0.8),
    noise: float = 0.01,
    seed: int = 0,
    max_batch: int = 16,
) -> Tensor:
    """How much more of the class is lost when the highest pixels are removed than when the lowest are.

    Removed pixels are filled from their neighbours by linear imputation, with a little noise, so that the shape of the
    hole says little (section 4.2). For each share of pixels, the probability without the highest ones is subtracted
    from that without the lowest ones; the result is the mean over the shares. A random map gives about 0.

    Args:
        classifier: the classifier that was explained.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, whose probability is measured; or a score.
        attribution: (N, 1, H, W).
        shares: of the pixels that are removed, each above 0 and below 1.
        noise: standard deviation of the noise on removed pixels.
        seed: of the noise, and of the order among equal values.
        max_batch: passes at once; fewer if memory runs out.

    Returns:
        (N,), higher is better, from -1 to 1 for probabilities.

    Raises:
        InterpretError: an attribution of another shape, or that is not finite.
    """
    view, inputs, maps = laid_on_inputs(classifier, images, attribution)
    ranked = ranks(maps, seed)
    pixels = ranked[0].numel()
    counts = torch.tensor([round(share * pixels) for share in shares], device=inputs.device)

    def run(rows: Tensor, steps: Tensor) -> Tensor:
        count = counts[steps // 2].view(-1, 1, 1, 1)
        lowest = (steps % 2 == 1).view(-1, 1, 1, 1)
        removed = torch.where(lowest, ranked[rows] >= pixels - count, ranked[rows] < count)
        drawn = torch.stack([noise_of(inputs.shape[1:], seed, step, inputs) for step in steps.tolist()])
        filled = imputed(inputs[rows], removed) + noise * drawn * removed
        return probability_or_score(view, filled, target_of(target, rows))

    with left_as_found(classifier, inputs.device), torch.no_grad():
        gaps = inputs.new_zeros(len(inputs))
        work = passes(run, len(inputs), 2 * len(counts), max_batch=max_batch, what="ROAD", device=inputs.device)
        for row, step, score in work:
            gaps[row] += score if step % 2 else -score
    return gaps / len(counts)
