"""What every explainer promises, whatever its method: the picture's own pixels, and no trace left."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..classifier import Classifier, first_tensor
from ..errors import InterpretError
from ..geometry import fit
from ..gradients import Target, class_score
from ..hooks import left_as_found, recorded
from ..layers import default_layer

Explainer = Callable[..., Tensor]


def explainer(core: Explainer) -> Explainer:
    """Make a method whose core gives one map an image into an explainer.

    The core ``(classifier, inputs, target, *, options) -> maps`` sees pictures on the network's
    input grid, with a graph where the caller wants one. What is public lays its maps, of any
    resolution, back on the picture's pixels, without a graph, and leaves the network, the inputs
    and the random generators as they were; the core stays reachable as ``__wrapped__``.
    """

    @functools.wraps(core)
    def explain(classifier: nn.Module, images: Tensor, target: Target, **options: Any) -> Tensor:
        with left_as_found(classifier, images.device):
            images = images.detach()
            if images.is_inference():
                images = images.clone()  # a tensor made under inference_mode can carry no gradient
            view, inputs, geometry = on_input_grid(classifier, images)
            return geometry.undo(core(view, inputs, target, **options)).detach()

    return explain


def on_input_grid(classifier: nn.Module, images: Tensor) -> tuple[nn.Module, Tensor, Any]:
    """The classifier for pictures on its input grid, the images laid on it, and where they lie."""
    if images.dim() < 4:
        raise InterpretError(f"a map needs images of shape (N, C, H, W), not {tuple(images.shape)}")
    if isinstance(classifier, Classifier):
        return classifier.on_inputs(), *classifier.prepare(images)
    return classifier, images, fit(tuple(images.shape[-2:]), None)


def network_of(classifier: nn.Module) -> nn.Module:
    """The module whose layers the user names: what is inside a Classifier, or the module itself."""
    return classifier.network if isinstance(classifier, Classifier) else classifier


def activations_and_score(
    classifier: nn.Module, inputs: Tensor, target: Target, layer: str | None
) -> tuple[Tensor, Tensor]:
    """Run the network once and start its graph at a layer, for every class activation map.

    Args:
        classifier: takes ``inputs`` to logits.
        inputs: (N, C, h, w) on the network's input grid.
        target: what is explained.
        layer: the layer's name; the last feature map by default.

    Returns:
        (N, K, u, v) activations of the layer, and the (N,) score as a function of them.

    Raises:
        UnknownNameError: no such layer.
        NetworkError: the layer did not run, or the network has no feature map.
        InterpretError: the layer's output has no places.
    """
    network = network_of(classifier)
    layer = layer or default_layer(network, inputs, classifier)
    # Without a caller who wants the derivative of the map itself, nothing below the layer is kept.
    with recorded(network, layer, cut=not inputs.requires_grad) as recording:
        score = class_score(first_tensor(classifier(inputs)), target)
    activations = recording[layer]
    if activations.dim() != 4:
        shape = tuple(activations.shape)
        raise InterpretError(f"layer {layer!r} gives {shape}, not a map of shape (N, K, H, W)")
    return activations, score


def weighted_map(activations: Tensor, weights: Tensor, relu: bool) -> Tensor:
    """(N, 1, u, v): the sum over channels of activations times weights, cut at zero if asked."""
    combined = (weights * activations).sum(1, keepdim=True)
    return torch.relu(combined) if relu else combined
