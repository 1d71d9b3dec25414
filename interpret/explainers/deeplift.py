"""DeepLIFT (Shrikumar et al. 2017, https://arxiv.org/abs/1704.02685)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..geometry import Geometry
from ..images.baselines import Baseline, baselines_for
from ..network.backward_rules import difference_gradient
from ..scores import Target, score_of
from .completeness import tell_rise
from .contract import explainer


@explainer(Geometry.spread)
def deeplift(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    baseline: str | float | Tensor | Sequence[Baseline] = "black",
    rule: Literal["rescale", "reveal-cancel"] = "rescale",
    seed: int = 0,
) -> Tensor:
    """How much each pixel adds to the score compared with a baseline, call by call.

    Every call distributes its difference from the baseline over its inputs, so that the attribution
    adds up to the difference of the two scores. By "rescale" it is in proportion to the differences of
    its inputs (section 3.5.1); by "reveal-cancel" an activation behind a layer of weights treats the
    positive and the negative part of its input apart (section 3.5.2). The rules of calls other than
    these, such as norms, pooling, gates and attention, are in ``interpret.network.backward_rules``.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        baseline: what the picture is compared with: black, white, grey, mean, blur, uniform or a number, or several
            with commas, over which the attribution is averaged; in Python also a tensor, or a list.
        rule: which rule of the paper activations follow.
        seed: of the uniform baseline.

    Returns:
        (N, 3, H, W) attribution, signed, in units of the logit.

    Raises:
        NetworkError: an operation without a rule, which the message names.
    """
    starts = baselines_for(baseline, classifier, images, seed)
    network = network_of(classifier)

    def score(inputs: Tensor) -> Tensor:
        return score_of(classifier, inputs, target)

    parts = [
        (images - start) * difference_gradient(score, images, start, network, reveal_cancel=rule == "reveal-cancel")
        for start in starts
    ]
    attribution = torch.stack(parts).mean(0)
    tell_rise("DeepLIFT", attribution, classifier, images, target, starts=starts)
    return attribution
