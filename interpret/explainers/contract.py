"""What all explainers have in common: maps on the picture's own pixels, and no trace left in the network."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..bounds import check_bounds
from ..classifier import layer_of, network_of, on_input_grid
from ..errors import InterpretError
from ..geometry import Geometry
from ..network.autograd import gradient, leaf
from ..network.backward_rules import Rule, ruled_gradient
from ..network.hooks import Recording, left_as_found, recorded
from ..network.outputs import first_tensor
from ..scores import Target, checked_indices, class_score, score_of
from .sharing import passed_before, share

Explainer = Callable[..., Tensor]


def explainer(
    lay_back: Callable[[Geometry, Tensor], Tensor], *, differentiates_inputs: bool = False
) -> Callable[[Explainer], Explainer]:
    """Turn a function that explains a network's input into one that explains a picture.

    The core ``(classifier, inputs, target, *, options) -> (N, C, h, w)`` gets pictures on the network's input grid.
    The public function lays its result back on the picture's pixels, without a graph, and leaves the network, the
    images and the random generators as they were. ``lay_back`` is ``Geometry.undo`` for a map, which keeps its
    values, or ``Geometry.spread`` for the attribution of single pixels, which keeps its sum.

    The core is reachable as ``__wrapped__``; it keeps the graph if its inputs have one, unless the method only runs
    the network forwards or leaves the work to captum. ``differentiates_inputs`` says that it is one plain
    ``input_gradient`` of the inputs as they are: inside ``shared_passes`` it uses the pass of ``shared_logits``.
    """

    def decorate(core: Explainer) -> Explainer:
        @functools.wraps(core)
        def explain(classifier: nn.Module, images: Tensor, target: Target, **options: Any) -> Tensor:
            check_bounds(core.__name__, options)
            if not callable(target):
                checked_indices(target, len(images), images.device)
            with left_as_found(classifier, images.device):
                images = images.detach()
                if images.is_inference():
                    images = images.clone()  # a tensor made under inference_mode can carry no gradient
                view, inputs, geometry = on_input_grid(classifier, images)
                explained = core(view, inputs, target, **options)
                return (explained if geometry is None else lay_back(geometry, explained)).detach()

        explain.lay_back, explain.differentiates_inputs = lay_back, differentiates_inputs
        return explain

    return decorate


def input_gradient(classifier: nn.Module, inputs: Tensor, target: Target, rule: Rule | None = None) -> Tensor:
    """The gradient of the score by the inputs (N, ...), with a graph if they have one; by a backward rule if given."""
    source = leaf(inputs)
    keep = inputs.requires_grad
    if rule is None:
        if not keep and (passed := passed_before(classifier, inputs, None)):
            source, logits = passed
            return gradient(class_score(logits, target), source)
        return gradient(score_of(classifier, source, target), source, keep_graph=keep)
    network = network_of(classifier)
    return ruled_gradient(lambda given: score_of(classifier, given, target), source, rule, network, keep_graph=keep)[0]


def check_pictures(inputs: Tensor) -> None:
    """Refuse inputs that are no pictures (N, C, H, W), since a map needs rows and columns."""
    if inputs.dim() != 4:
        raise InterpretError(f"a map needs images of shape (N, C, H, W), not {tuple(inputs.shape)}")


def activations_and_score(
    classifier: nn.Module, inputs: Tensor, target: Target, layer: str | None
) -> tuple[Tensor, Tensor]:
    """The activations (N, K, u, v) of a layer, by default the last feature map, and the (N,) score made of them.

    The graph starts at the layer, unless the inputs have a graph themselves.
    """
    check_pictures(inputs)
    layer = layer_of(classifier, inputs, layer)
    recording, logits = _recorded_pass(classifier, inputs, layer)
    return feature_map(recording, layer), class_score(logits, target)


def _recorded_pass(classifier: nn.Module, inputs: Tensor, layer: str) -> tuple[Recording, Tensor]:
    """What a layer gave in a pass, shared where that is possible, and the (N, classes) logits made of it."""
    keep = inputs.requires_grad
    if not keep and (passed := passed_before(classifier, inputs, layer)):
        return passed
    # The graph below the layer is only needed by a caller who differentiates the map itself.
    with recorded(network_of(classifier), layer, cut=not keep) as recording:
        logits = first_tensor(classifier(inputs))
    if not keep:
        share(classifier, inputs, layer, (recording, logits))
    return recording, logits


def shared_logits(explainer: Explainer, classifier: nn.Module, inputs: Tensor, layer: str | None) -> Tensor:
    """The (N, classes) logits of inputs without a graph, by a pass that the explainer's core then need not repeat.

    That holds inside ``shared_passes``. The layer is the one that the method looks at, or None if it looks at none.
    """
    if layer is not None:
        return _recorded_pass(classifier, inputs, layer)[1].detach()
    if explainer.differentiates_inputs:
        source = leaf(inputs)
        logits = first_tensor(classifier(source))
        share(classifier, inputs, None, (source, logits))
        return logits.detach()
    with torch.no_grad():
        return first_tensor(classifier(inputs))


def feature_map(recording: Recording, layer: str) -> Tensor:
    """The activations (N, K, u, v) of a layer; InterpretError if they are no map."""
    activations = recording[layer]
    if activations.dim() != 4:
        shape = tuple(activations.shape)
        raise InterpretError(f"layer {layer!r} gives {shape}, not a map of shape (N, K, H, W)")
    return activations


def weighted_map(activations: Tensor, weights: Tensor, relu: bool = True) -> Tensor:
    """The sum over the channels of activations times weights, (N, 1, u, v), cut at zero with ``relu``."""
    combined = (weights * activations).sum(1, keepdim=True)
    return torch.relu(combined) if relu else combined


def ratio(above: Tensor, below: Tensor) -> Tensor:
    """A quotient that is 0 where the divisor is 0."""
    return torch.where(below == 0, torch.zeros_like(below), above / torch.where(below == 0, 1, below))
