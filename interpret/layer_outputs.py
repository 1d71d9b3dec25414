"""What layers give for pictures on a network's input grid, as maps."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from torch import Tensor, nn

from .classifier import Classifier, network_of
from .errors import InterpretError, UnknownNameError
from .network.layout import Layout, layout_of
from .network.recording import recorded
from .network.survey import default_layer, layouts_of, trouble_with


def layer_of(classifier: nn.Module, inputs: Tensor, layer: str | None) -> str:
    """The layer asked for, or else the last feature map."""
    return layer or default_layer(network_of(classifier), inputs, runner(classifier))


def laid_out(classifier: nn.Module, inputs: Tensor, *layers: str) -> dict[str, Layout]:
    """The layouts of those of some layers that hold a map of inputs (N, C, h, w) on the input grid."""
    return layouts_of(network_of(classifier), inputs, layers, runner(classifier))


def runner(classifier: nn.Module) -> Callable[[Tensor], Any]:
    """What runs the network on inputs (N, C, h, w) on its input grid, for its layers, whatever it returns."""
    return partial(classifier.answer, whole=True) if isinstance(classifier, Classifier) else classifier


def maps_of(classifier: nn.Module, inputs: Tensor, layer: str) -> Tensor:
    """The activations (N, K, u, v) of a layer for inputs (N, C, h, w); of vectors, (N, K, 1, 1)."""
    return maps_by_layer(classifier, inputs, [layer])[layer]


def maps_by_layer(classifier: nn.Module, inputs: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
    """The activations of several layers in one pass, as `maps_of` gives them."""
    names = list(dict.fromkeys(layers))
    with recorded(network_of(classifier), *names) as recording:
        runner(classifier)(inputs)
    return {name: map_in(classifier, inputs, name, recording[name]) for name in names}


def map_in(classifier: nn.Module, inputs: Tensor, layer: str, activations: Tensor) -> Tensor:
    network = network_of(classifier)
    if activations.dim() == 2:
        return activations[..., None, None]
    if _is_plain_map(activations, inputs) and not _may_attend(network):
        return activations  # for which the network need not be surveyed
    layouts = laid_out(classifier, inputs, layer)
    if layer not in layouts:
        trouble = trouble_with(network, inputs, layer, runner(classifier))
        raise InterpretError(f"layer {layer!r} gives {tuple(activations.shape)}, {trouble}")
    return layouts[layer].to_map(activations)


def _is_plain_map(activations: Tensor, inputs: Tensor) -> bool:
    aspect = inputs.shape[-1] / inputs.shape[-2]
    layout = layout_of(tuple(activations.shape), len(inputs), aspect, grids=[], others={})
    return isinstance(layout, Layout) and layout.kind == "map"


def _may_attend(network: nn.Module) -> bool:
    """Whether outputs of four dimensions may be something else than maps (N, K, H, W), as in transformers."""
    kinds = nn.LayerNorm, nn.RMSNorm, nn.MultiheadAttention, nn.Softmax
    return any(isinstance(module, kinds) for module in network.modules())


def check_channels(channels: Iterable[int], there: int, layer: str) -> None:
    """Refuse a channel that a layer does not have."""
    for channel in channels:
        if not 0 <= channel < there:
            raise UnknownNameError(f"layer {layer!r} has no channel {channel}: they are 0 to {there - 1}")
