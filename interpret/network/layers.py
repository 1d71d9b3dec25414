"""The layers of a network: what each gives, and which one a class activation map looks at by default."""

import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..errors import NetworkError
from .hooks import Call, left_as_found, traced

POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, nn.FractionalMaxPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)

# The answer of `default_layer` for a network, kept with the ids of its modules, since these may be replaced.
_known: weakref.WeakKeyDictionary[nn.Module, tuple[tuple[int, ...], str]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Layer:
    """What one call of one module gave in a forward pass."""

    name: str  # the module's dotted name; if it ran several times, with "#1", "#2" and so on
    kind: str  # the module's class
    shape: tuple[int, ...]  # of its output
    weighted: bool  # whether the module, or one inside it, has parameters
    pooling: bool
    fingerprint: tuple  # equal for outputs with equal values


def layers(network: nn.Module, run: Callable[[], object]) -> list[Layer]:
    """Every call of a submodule that gives a tensor while ``run`` runs the network, in the order in which they end."""
    seen: list[Layer] = []
    with left_as_found(network), torch.no_grad():
        traced(network, run, lambda call: seen.append(_describe(call)))
    again = {layer.name.removesuffix("#2") for layer in seen if layer.name.endswith("#2")}
    # A module that ran once needs no number. The name of any other without a number means its last call.
    return [
        layer if layer.name.partition("#")[0] in again else replace(layer, name=layer.name.removesuffix("#1"))
        for layer in seen
    ]


def _describe(call: Call) -> Layer:
    output = call.output
    return Layer(
        name=call.name,
        kind=type(call.module).__name__,
        shape=tuple(output.shape),
        weighted=next(call.module.parameters(), None) is not None,
        pooling=isinstance(call.module, POOLING),
        fingerprint=(tuple(output.shape), *_moments(output)),
    )


def _moments(output: Tensor) -> tuple[float, ...]:
    # Computed at once, since a later in-place layer may overwrite the values.
    if not output.is_floating_point() or output.dim() < 4:
        return ()
    return float(output.double().sum()), float(output.double().square().sum())


def default_layer(network: nn.Module, images: Tensor, run: Callable[[Tensor], object] | None = None) -> str:
    """The last feature map: the layer that a class activation map looks at unless told otherwise.

    It is the last call, after its activation and before any pooling, whose output is a map larger
    than 1 x 1. Pooled maps, maps of class scores and attention tensors do not count; of several calls
    with the same values it is the innermost. It does not depend on the size of the images, unless the
    network takes just one size, and is remembered as long as the network exists.

    Args:
        network: the network.
        images: (N, C, H, W) on the network's input grid; the first one is tried.
        run: takes images to logits; the network itself by default.

    Returns:
        The layer's name, for example ``features.29`` or ``layer4.1.relu#2``.

    Raises:
        NetworkError: the network has no such map, as a vision transformer has none.
    """
    modules = tuple(map(id, network.modules()))
    if network not in _known or _known[network][0] != modules:
        _known[network] = modules, _find_default(network, images[:1].detach(), run or network)
    return _known[network][1]


def _find_default(network: nn.Module, image: Tensor, run: Callable[[Tensor], object]) -> str:
    if image.dim() != 4:
        raise NetworkError(f"feature maps need images of shape (N, C, H, W), not {tuple(image.shape)}")
    large = max(image.shape[-2:])
    seen: list[Layer] = []
    if large < 224:
        # A small picture can leave the last map with a single place. A larger one gives the answer that holds for
        # every size, unless the network takes just one size.
        enlarged = nn.functional.interpolate(image, scale_factor=224 / large, mode="bilinear")
        with suppress(RuntimeError, ValueError, AssertionError):
            seen = layers(network, lambda: run(enlarged))
    if not seen:
        seen = layers(network, lambda: run(image))
    return last_feature_map(seen, image.shape[-1] / image.shape[-2]).name


def last_feature_map(seen: list[Layer], aspect: float = 1.0) -> Layer:
    """The layer that ``default_layer`` names, among the calls of one forward pass in the order in which they ended.

    ``aspect`` is the width of the network's input divided by its height.
    """
    pooled = {layer.fingerprint for layer in seen if layer.pooling}
    for position in reversed(range(len(seen))):
        layer = seen[position]
        if not _is_map(layer.shape, aspect) or layer.fingerprint in pooled:
            continue
        after = seen[position + 1 :]
        if any(other.weighted and len(other.shape) == 3 and other.shape[1] > 1 for other in after):
            break  # what comes after are tokens, which mix the places of this map
        if _is_class_scores(layer, seen, after):
            continue
        return next(other for other in seen if other.fingerprint == layer.fingerprint)
    raise NetworkError(
        "the network has no feature map to look at: no layer before its head gives (N, C, H, W) with "
        "H x W above 1 x 1, as in transformers and fully connected networks; use a gradient method, or name a layer"
    )


def _is_map(shape: tuple[int, ...], aspect: float) -> bool:
    """Whether a shape is (N, C, H, W) and larger than 1 x 1; (N, H, W, C) is recognised by its proportions."""
    if len(shape) != 4 or shape[2] * shape[3] <= 1:
        return False
    return 0.5 <= shape[3] / shape[2] / aspect <= 2


def _is_class_scores(layer: Layer, seen: list[Layer], after: list[Layer]) -> bool:
    """Whether a map has one channel for each class and no weights follow it, as in SqueezeNet's head."""
    classes = seen[-1].shape[1] if len(seen[-1].shape) > 1 else None
    holder = layer.name.partition("#")[0]
    return layer.shape[1] == classes and not any(
        other.weighted and not holder.startswith(other.name.partition("#")[0] + ".") for other in after
    )
