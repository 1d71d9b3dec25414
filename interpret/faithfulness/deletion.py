"""Deletion (Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421)."""

from torch import Tensor, nn

from ..images.baselines import baseline_for
from ..scores import Target
from .curves import Curve, laid_on_inputs, ranks, replacing


def deletion(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    attribution: Tensor,
    *,
    baseline: str | float | Tensor = "black",
    steps: int = 20,
    seed: int = 0,
    max_batch: int = 32,
) -> Curve:
    """How fast the class is lost when the pixels that a map ranks highest are removed first.

    A small area speaks for the map, but only in comparison with the areas of a random map and of one that ranks the
    middle of the picture highest.

    Args:
        classifier: the classifier that was explained.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, whose probability is measured; or a score.
        attribution: (N, 1, H, W).
        baseline: what replaces them: black, mean (as in the authors' code), blur, rise-blur, white, grey, uniform, a
            number, or a tensor.
        steps: points of the curve after the first.
        seed: of the order among equal values.
        max_batch: passes at once; fewer if memory runs out.

    Returns:
        The curve of (N, steps + 1) scores over the share of pixels removed; its ``area`` has the (N,) areas below.

    Raises:
        InterpretError: an attribution of another shape, or that is not finite.
    """
    view, inputs, maps = laid_on_inputs(classifier, images, attribution)
    end = baseline_for(baseline, classifier, inputs, seed)
    return replacing(view, inputs, target, ranks(maps, seed), end, steps=steps, max_batch=max_batch, what="deletion")
