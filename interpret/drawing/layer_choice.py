"""Layers spread over the depth of a network, for when none is named."""

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..errors import NetworkError
from ..layer_outputs import laid_out, layer_of, runner
from ..network.layers import Layer
from ..network.layers import layers as calls_of


def spread_layers(classifier: nn.Module, inputs: Tensor, count: int) -> list[str]:
    """The names of up to ``count`` feature maps after their activations, evenly spread over the depth, in order.

    In a network whose last map is one of tokens, they are layers of tokens.

    The network runs on inputs (N, C, h, w) on its input grid. The last name is that of the last feature map, or of the
    block around it; a network without feature maps is a NetworkError.
    """
    calls = calls_of(network_of(classifier), lambda: runner(classifier)(inputs[:1]))
    last = layer_of(classifier, inputs, None)
    end = next((place for place, layer in enumerate(calls) if layer.name == last), len(calls) - 1)
    held = laid_out(classifier, inputs, *(layer.name for layer in calls))
    kinds = ("tokens",) if last in held and held[last].kind == "tokens" else ("map", "channels last")
    maps = {name for name, layout in held.items() if layout.kind in kinds and layout.grid[0] * layout.grid[1] > 1}
    coarse = _coarsest(calls[: end + 1], maps, count)
    if not coarse:
        raise NetworkError("the network has no feature maps to choose layers from; name some with --layer")
    places = torch.linspace(0, len(coarse) - 1, min(count, len(coarse))).round().long().tolist()
    return [coarse[place].name for place in places]


def _coarsest(calls: list[Layer], held: set[str], count: int) -> list[Layer]:
    """The maps at the outermost level of names that has enough of them: blocks rather than the layers inside."""
    first = next((place for place, layer in enumerate(calls) if layer.weighted), 0)  # what is before it is padding
    maps = [layer for layer in calls[first:] if layer.name in held]
    chosen: list[Layer] = []
    for depth in range(max((layer.name.count(".") for layer in maps), default=-1) + 1):
        chosen = _finished([layer for layer in maps if layer.name.count(".") <= depth and not layer.pooling])
        if len(chosen) >= count:
            break
    return chosen


def _finished(maps: list[Layer]) -> list[Layer]:
    """The maps without those that a normalisation, an activation or a container follows, whose map replaces theirs."""
    kept = []
    for place, layer in enumerate(maps):
        following = maps[place + 1] if place + 1 < len(maps) else None
        passed_on = following is not None and layer.shape == following.shape
        if passed_on and (not following.weighted or "Norm" in following.kind):
            continue
        if following is None or layer.fingerprint != following.fingerprint:
            kept.append(layer)
    return kept
