"""What every explainer promises, whatever its method: the picture's own pixels, and no trace left."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..classifier import layer_of, network_of, on_input_grid
from ..errors import InterpretError
from ..geometry import Geometry
from ..network.autograd import gradient, leaf
from ..network.backward_rules import Rule, ruled_gradient
from ..network.hooks import Recording, left_as_found, recorded
from ..outputs import first_tensor
from ..scores import Target, checked_indices, class_score, score_of
from .sharing import passed_before, share

Explainer = Callable[..., Tensor]


def explainer(
    lay_back: Callable[[Geometry, Tensor], Tensor], *, differentiates_inputs: bool = False
) -> Callable[[Explainer], Explainer]:
    """Make a method whose core explains a network's input into one that explains a picture.

    The core ``(classifier, inputs, target, *, options) -> (N, C, h, w)`` sees pictures on the
    network's input grid, with a graph where the caller wants one. What is public lays its result
    back on the picture's pixels, without a graph, and leaves the network, the inputs and the random
    generators as they were; the core stays reachable as ``__wrapped__``, and with ``lay_back`` and
    ``differentiates_inputs`` beside it. Methods that only run the
    network forwards, or leave the work to captum, have no graph to keep.

    Args:
        lay_back: ``Geometry.undo`` for a map of any resolution, whose values are kept, or
            ``Geometry.spread`` for what belongs to single pixels, whose sum is kept.
        differentiates_inputs: whether the core is one plain ``input_gradient`` of the inputs as they are, which
            inside ``shared_passes`` needs no second pass after ``shared_logits``.

    Returns:
        The decorator.
    """

    def decorate(core: Explainer) -> Explainer:
        @functools.wraps(core)
        def explain(classifier: nn.Module, images: Tensor, target: Target, **options: Any) -> Tensor:
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
    """The gradient of the score with respect to the inputs, or what a backward rule puts in its place.

    Args:
        classifier: takes ``inputs`` to logits.
        inputs: (N, ...) on the network's input grid.
        target: what is explained.
        rule: "guided" or "deconvnet", see ``interpret.network.backward_rules``.

    Returns:
        (N, ...), with a graph if the inputs have one.
    """
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
    """Refuse what has no places to make a map of: anything but (N, C, H, W)."""
    if inputs.dim() != 4:
        raise InterpretError(f"a map needs images of shape (N, C, H, W), not {tuple(inputs.shape)}")


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
    check_pictures(inputs)
    layer = layer_of(classifier, inputs, layer)
    recording, logits = _recorded_pass(classifier, inputs, layer)
    return feature_map(recording, layer), class_score(logits, target)


def _recorded_pass(classifier: nn.Module, inputs: Tensor, layer: str) -> tuple[Recording, Tensor]:
    """What a layer gave in a pass, shared where it may be, and the (N, classes) logits as a function of it."""
    keep = inputs.requires_grad
    if not keep and (passed := passed_before(classifier, inputs, layer)):
        return passed
    # Without a caller who wants the derivative of the map itself, nothing below the layer is kept.
    with recorded(network_of(classifier), layer, cut=not keep) as recording:
        logits = first_tensor(classifier(inputs))
    if not keep:
        share(classifier, inputs, layer, (recording, logits))
    return recording, logits


def shared_logits(explainer: Explainer, classifier: nn.Module, inputs: Tensor, layer: str | None) -> Tensor:
    """The logits of a pass that the core of an explainer then has no need to repeat, inside ``shared_passes``.

    Args:
        explainer: the method whose core comes next.
        classifier: takes ``inputs`` to logits.
        inputs: (N, C, h, w) on the network's input grid, without a graph.
        layer: the layer that the method looks at; None where it looks at none.

    Returns:
        (N, classes) logits.
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
    """(N, K, u, v) activations of a layer, if it has places; InterpretError if it has none."""
    activations = recording[layer]
    if activations.dim() != 4:
        shape = tuple(activations.shape)
        raise InterpretError(f"layer {layer!r} gives {shape}, not a map of shape (N, K, H, W)")
    return activations


def weighted_map(activations: Tensor, weights: Tensor, relu: bool = True) -> Tensor:
    """(N, 1, u, v): the sum over channels of activations times weights, cut at zero if asked."""
    combined = (weights * activations).sum(1, keepdim=True)
    return torch.relu(combined) if relu else combined


def ratio(above: Tensor, below: Tensor) -> Tensor:
    """A quotient in which 0 / 0, where there was nothing to share out, is 0."""
    return torch.where(below == 0, torch.zeros_like(below), above / torch.where(below == 0, 1, below))
