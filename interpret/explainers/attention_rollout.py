"""Attention rollout (Abnar and Zuidema 2020, https://arxiv.org/abs/2005.00928)."""

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target
from .contract import explainer
from .token_relevance import attended


@explainer(Geometry.undo)
def attention_rollout(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """Which patches the tokens that the class is read off have taken from, whatever the class.

    The attention of each layer, averaged over its heads, is mixed half and half with the tokens themselves, for the
    skip path, and the matrices are multiplied from the first layer to the last (section 3). Of the result it is the
    row of the class token or, where the network averages tokens, the mean of their rows. The class is not looked at.

    Args:
        classifier: the classifier to explain, a transformer with attention among all tokens.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.

    Returns:
        (N, 1, H, W) shares of attention, at least zero; over the patches they add up to at most 1.

    Raises:
        NetworkError: the network has no attention, or one within windows or between tokens of several grids.
    """
    found = attended(classifier, images, target, "attention rollout")
    shares = found.read
    for weights in reversed(found.weights):  # the rows that are read, times the last matrix, times the one before it
        shares = (shares + torch.einsum("nt,nhts->ns", shares, weights) / weights.shape[1]) / 2
    return found.map_of(shares)
