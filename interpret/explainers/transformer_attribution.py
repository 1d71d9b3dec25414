"""Transformer attribution (Chefer et al. 2021, https://arxiv.org/abs/2103.15679)."""

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target
from .contract import explainer
from .token_relevance import attended


@explainer(Geometry.undo)
def transformer_attribution(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """Which patches speak for the class, by the attention whose growth would raise its score.

    The attention of each layer times its gradient, where that is positive, averaged over the heads (eq. 5), adds to
    what the tokens have gathered so far (eq. 6). Of the result it is the row of the class token or, where the network
    averages tokens, the mean of their rows, without what each token is at the start. It is the rule for
    self-attention of the paper on generic attention models, which needs no LRP.

    Args:
        classifier: the classifier to explain, a transformer with attention among all tokens.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.

    Returns:
        (N, 1, H, W) attribution, at least zero, without a unit.

    Raises:
        NetworkError: the network has no attention, or one within windows or between tokens of several grids.
    """
    found = attended(classifier, images, target, "transformer attribution")
    gathered = start = found.read
    for weights, gradients in zip(reversed(found.weights), reversed(found.gradients), strict=True):
        relevant = torch.relu(gradients * weights).mean(1)
        gathered = gathered + torch.einsum("nt,nts->ns", gathered, relevant)
    return found.map_of(gathered - start)
