"""Layers spread over the depth of a network, for whoever does not name any."""

import torch
from torch import Tensor, nn

from ..classifier import layer_of, network_of
from ..errors import NetworkError
from ..network.layers import Layer
from ..network.layers import layers as calls_of


def spread_layers(classifier: nn.Module, inputs: Tensor, count: int) -> list[str]:
    """Feature maps evenly spread over the depth of a network, after their activations.

    Args:
        classifier: whose network it is.
        inputs: (N, C, h, w) on the network's input grid.
        count: how many, if there are as many.

    Returns:
        Their names, the first layer first; the last is the last feature map or the block around it.

    Raises:
        NetworkError: the network has no feature maps.
    """
    seen = calls_of(network_of(classifier), lambda: classifier(inputs[:1]))
    last = layer_of(classifier, inputs, None)
    end = next((place for place, layer in enumerate(seen) if layer.name == last), len(seen) - 1)
    coarse = _coarsest(seen[: end + 1], count)
    if not coarse:
        raise NetworkError("the network has no feature maps to choose layers from; name some with --layer")
    places = torch.linspace(0, len(coarse) - 1, min(count, len(coarse))).round().long().tolist()
    return [coarse[place].name for place in places]


def _coarsest(seen: list[Layer], count: int) -> list[Layer]:
    """The maps at the outermost level of names that has enough of them: blocks rather than what is in them."""
    first = next((place for place, layer in enumerate(seen) if layer.weighted), 0)  # what is before it is padding
    maps = [layer for layer in seen[first:] if len(layer.shape) == 4 and layer.shape[2] * layer.shape[3] > 1]
    chosen: list[Layer] = []
    for depth in range(max((layer.name.count(".") for layer in maps), default=-1) + 1):
        chosen = _finished([layer for layer in maps if layer.name.count(".") <= depth and not layer.pooling])
        if len(chosen) >= count:
            break
    return chosen


def _finished(maps: list[Layer]) -> list[Layer]:
    """Without those that a normalisation, an activation or a container follows, which say the same again."""
    kept = []
    for place, layer in enumerate(maps):
        following = maps[place + 1] if place + 1 < len(maps) else None
        passed_on = following is not None and layer.shape == following.shape
        if passed_on and (not following.weighted or "Norm" in following.kind):
            continue
        if following is None or layer.fingerprint != following.fingerprint:
            kept.append(layer)
    return kept
