"""Layer-wise relevance propagation (Bach et al. 2015, https://doi.org/10.1371/journal.pone.0130140)."""

import logging
from typing import Literal

from torch import Tensor, nn

from ..classifier import network_of
from ..geometry import Geometry
from ..network.backward_rules import OPENING_ATTENTION, Conserved, composite_named, relevance_of
from ..scores import Target, score_of
from .completeness import tell_gaps
from .contract import explainer

_log = logging.getLogger(__name__)


@explainer(Geometry.spread)
def lrp(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    composite: Literal[
        "epsilon",
        "epsilon-plus",
        "epsilon-plus-flat",
        "epsilon-alpha2-beta1",
        "epsilon-alpha2-beta1-flat",
        "epsilon-gamma-box",
        "epsilon-gamma-wsquare",
        "attnlrp",
    ] = "epsilon-plus-flat",
    epsilon: float = 1e-6,
    gamma: float = 0.25,
) -> Tensor:
    """How much each pixel adds to the score, handed down from layer to layer.

    Every layer of weights hands the relevance of its outputs to its inputs by a rule: a composite names
    the rule of linear layers (epsilon), of convolutions (plus, alpha-beta or gamma) and of the first
    layer (flat, box or w-square), as in Montavon et al. 2019. A batch norm behind a layer is one with
    it, a gate hands nothing to what opens it, and what biases and epsilon keep is told. What is
    left adds up to the rest of the score. The table of rules is ``interpret.network.backward_rules``.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        composite: the rules of the layers; plain epsilon is nearly input x gradient, and attnlrp is for transformers:
            what attention weighs by gets half of the relevance that passes through it (Achtibat et al. 2024).
        epsilon: keeps relevance from outputs near zero; in units of a layer's root mean square, so that
            1e-6 only prevents a division by zero, and 0.25 takes away noise.
        gamma: how much more the favoured sign counts, for the composites with gamma.

    Returns:
        (N, 3, H, W) relevance, signed, in units of the logit.

    Raises:
        NetworkError: an operation without a rule, which the message names.
    """
    rules = composite_named(composite, gamma)
    found = relevance_of(
        lambda inputs: score_of(classifier, inputs, target),
        images,
        network_of(classifier),
        rules,
        epsilon=epsilon,
        opens_attention=composite in OPENING_ATTENTION,
    )
    _tell(found)
    return found.relevance


def _tell(found: Conserved) -> None:
    """Log where the scores went; what nothing accounts for is a gap."""
    relevance, scores = found.relevance.sum(), found.scores.sum()
    count = len(found.scores)
    _log.info(
        "LRP: of %s %.4g pixels get %.4g, biases keep %.4g, and epsilon keeps %.2f %%",
        "the score" if count == 1 else f"the scores of {count} inputs, together",
        scores,
        relevance,
        found.biases,
        100 * found.epsilon / scores if scores else 0.0,
    )
    kept = found.biases + found.epsilon
    tell_gaps("LRP", (relevance + kept)[None], scores[None], "with what biases and epsilon keep, of a score of")
