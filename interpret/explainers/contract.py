"""What all explainers have in common: maps on the picture's own pixels, and no trace left in the network."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..bounds import check_bounds
from ..class_indices import checked_indices
from ..classifier import network_of, on_input_grid
from ..errors import InterpretError, NetworkError, UnknownNameError
from ..geometry import Geometry
from ..images.given import Images, images_given
from ..layer_outputs import laid_out, layer_of, runner
from ..network.autograd import gradient, leaf
from ..network.backward_rules import Rule, ruled_gradient
from ..network.gradient_path import path_told
from ..network.hooks import left_as_found
from ..network.outputs import top_outputs
from ..network.recording import Recording, recorded
from ..network.survey import default_layer, trouble_with
from ..scores import Target, answer, layers_of, needs_logits, score_in, score_of
from .sharing import passed_before, share
from .tile_maps import as_seen, by_tile, check_no_places, in_tiles

Explainer = Callable[..., Tensor]


def explainer(
    lay_back: Callable[[Geometry, Tensor], Tensor], *, differentiates_inputs: bool = False
) -> Callable[[Explainer], Explainer]:
    """Turn a function that explains a network's input into one that explains a picture.

    The core ``(classifier, inputs, target, *, options) -> (N, C, h, w)`` gets pictures on the network's input grid.
    The public function lays its result back on the picture's pixels, without a graph, and leaves the network, the
    images and the random generators as they were. ``lay_back`` is ``Geometry.undo`` for a map, which keeps its
    values, or ``Geometry.spread`` for the attribution of single pixels, which keeps its sum.

    The core is reachable as ``__wrapped__``, also for inputs that the network sees in tiles; it keeps the graph if its
    inputs have one, unless the method only runs the network forwards or leaves the work to captum.
    ``differentiates_inputs`` says that it is one plain ``input_gradient`` of the inputs as they are: inside
    ``shared_passes`` it uses the pass of ``shared_logits``.
    """

    def decorate(core: Explainer) -> Explainer:
        looks_at_layer = "layer" in inspect.signature(core).parameters

        def told(view: nn.Module, inputs: Tensor, target: Target, **options: Any) -> Tensor:
            def layer() -> str | None:
                return layer_looked_at(view, inputs, target, options.get("layer")) if looks_at_layer else None

            with path_told(network_of(view), inputs, runner(view), layer):
                return core(view, inputs, target, **options)

        @functools.wraps(by_tile(core))
        def explain(classifier: nn.Module, images: Images, target: Target | None = None, **options: Any) -> Tensor:
            check_bounds(core.__name__, options)
            images = images_given(classifier, images)
            if isinstance(options.get("layer"), nn.Module):
                options["layer"] = name_in(network_of(classifier), options["layer"])
            with left_as_found(classifier, images.device):
                images = images.detach()
                if images.is_inference():
                    images = images.clone()  # a tensor made under inference_mode can carry no gradient
                view, inputs, geometry = on_input_grid(classifier, images)
                target = target_given(view, inputs, target, geometry)
                explained = by_tile(told)(view, inputs, target, **options)
                return (explained if geometry is None else lay_back(geometry, explained)).detach()

        explain.lay_back, explain.differentiates_inputs = lay_back, differentiates_inputs
        return explain

    return decorate


def target_given(view: nn.Module, inputs: Tensor, target: Target | None, geometry: Geometry | None) -> Target:
    """A target as a core takes it, for inputs on the input grid: None is the top prediction.

    What a target says of places of the picture (``laid_on``) is laid on the grid too, and a target that looks for
    something in the network's output (``seen_in``) says what is missing before anything is explained.
    """
    if target is None:
        with torch.no_grad():
            logits = answer(view, inputs, 0)
        return top_outputs(logits, getattr(view, "task", "classification"))
    if not callable(target):
        return checked_indices(target, len(inputs), inputs.device)
    if in_tiles(view):
        check_no_places(target)
        view, inputs = as_seen(view, inputs)
    if geometry is not None and hasattr(target, "laid_on"):
        target = target.laid_on(geometry)
    looks = hasattr(target, "seen_in")
    if looks or layers_of(target):  # whose layouts are found out here, since no method must see these passes
        with torch.no_grad():
            answered = answer(view, inputs, target)
        return target.seen_in(answered) if looks else target
    return target


def layer_looked_at(classifier: nn.Module, inputs: Tensor, target: Target, layer: str | None) -> str:
    """The layer asked for; or else of a unit its own, where that has a map; or else the last feature map."""
    own = () if layer else layers_of(target)
    found = laid_out(classifier, inputs, *own) if own else {}
    with_places = [name for name in own if name in found and found[name].grid[0] * found[name].grid[1] > 1]
    return layer_of(classifier, inputs, layer or (with_places[-1] if with_places else None))


def name_in(network: nn.Module, layer: nn.Module) -> str:
    """The dotted name of a module of a network; an UnknownNameError if it is none."""
    for name, module in network.named_modules():
        if module is layer and name:
            return name
    raise UnknownNameError(f"the {type(layer).__name__} given as layer is no module inside this network")


def input_gradient(classifier: nn.Module, inputs: Tensor, target: Target, rule: Rule | None = None) -> Tensor:
    """The gradient of the score by the inputs (N, ...), with a graph if they have one; by a backward rule if given."""
    source = leaf(inputs)
    keep = inputs.requires_grad
    if rule is None:
        if not keep and needs_logits(target) and (passed := passed_before(classifier, inputs, None)):
            source, answered = passed
            return gradient(score_in(classifier, answered, target, len(inputs)), source)
        return gradient(score_of(classifier, source, target), source, keep_graph=keep)
    network = network_of(classifier)
    return ruled_gradient(lambda given: score_of(classifier, given, target), source, rule, network, keep_graph=keep)[0]


def check_pictures(inputs: Tensor) -> None:
    """Refuse inputs that are no pictures (N, C, H, W), since a map needs rows and columns."""
    if inputs.dim() != 4:
        raise InterpretError(f"a map needs images of shape (N, C, H, W), not {tuple(inputs.shape)}")


def activations_and_score(
    classifier: nn.Module, inputs: Tensor, target: Target, layer: str | None, *, differentiated: bool = True
) -> tuple[Tensor, Tensor]:
    """The activations (N, K, u, v) of a layer, by default the last feature map, and the (N,) score made of them.

    The graph starts at the layer, unless the inputs have a graph themselves. ``differentiated`` says that a method
    needs the gradient of the score by the activations.
    """
    check_pictures(inputs)
    layer = layer_looked_at(classifier, inputs, target, layer)
    recording, answered = _recorded_pass(classifier, inputs, layer, target)
    activations = feature_map(classifier, inputs, recording, layer)
    score = score_in(classifier, answered, target, len(inputs))
    if differentiated and recording.layouts[layer].has_others and score.requires_grad:
        _check_places_count(classifier, inputs, layer, activations, score)
    return activations, score


def _check_places_count(classifier: nn.Module, inputs: Tensor, layer: str, activations: Tensor, score: Tensor) -> None:
    """Refuse tokens of places that do not change the score, since it is read off the class token alone."""
    slope = torch.autograd.grad(score.sum(), activations, retain_graph=True, allow_unused=True)[0]
    if slope is not None and not slope.any():
        try:
            other = default_layer(network_of(classifier), inputs[:1], runner(classifier))
        except NetworkError:
            other = None
        if other == layer:
            return  # nothing has a gradient, as behind a head of zeros
        hint = f"; name an earlier layer, such as {other!r}" if other else ""
        raise NetworkError(f"the score is read off the class token of layer {layer!r}, not off its places{hint}")


def _recorded_pass(classifier: nn.Module, inputs: Tensor, layer: str, target: Target = 0) -> tuple[Recording, Any]:
    """What a layer gave in a pass, shared where that is possible, and what the target is a score of."""
    can_share = not inputs.requires_grad and needs_logits(target)
    if can_share and (passed := passed_before(classifier, inputs, layer)):
        return passed
    # The graph below the layer is only needed by a caller who differentiates the map itself.
    layouts = laid_out(classifier, inputs, layer)
    with recorded(network_of(classifier), layer, cut=not inputs.requires_grad, layouts=layouts) as recording:
        answered = answer(classifier, inputs, target)
    if can_share:
        share(classifier, inputs, layer, (recording, answered))
    return recording, answered


def shared_logits(explainer: Explainer, classifier: nn.Module, inputs: Tensor, layer: str | None) -> Tensor:
    """The (N, classes) logits of inputs without a graph, by a pass that the explainer's core then need not repeat.

    That holds inside ``shared_passes``. The layer is the one that the method looks at, or None if it looks at none.
    """
    if in_tiles(classifier):
        with torch.no_grad():
            return answer(classifier, inputs, 0)
    if layer is not None:
        return _recorded_pass(classifier, inputs, layer)[1].detach()
    if explainer.differentiates_inputs:
        source = leaf(inputs)
        logits = answer(classifier, source, 0)
        share(classifier, inputs, None, (source, logits))
        return logits.detach()
    with torch.no_grad():
        return answer(classifier, inputs, 0)


def feature_map(classifier: nn.Module, inputs: Tensor, recording: Recording, layer: str) -> Tensor:
    """The activations (N, K, u, v) that a layer gives for inputs; InterpretError if they are no map of these."""
    activations = recording[layer]
    if layer not in recording.layouts:
        trouble = trouble_with(network_of(classifier), inputs, layer, runner(classifier))
        raise InterpretError(f"layer {layer!r} gives {tuple(activations.shape)}, {trouble}")
    return activations


def weighted_map(activations: Tensor, weights: Tensor, relu: bool = True) -> Tensor:
    """The sum over the channels of activations times weights, (N, 1, u, v), cut at zero with ``relu``."""
    combined = (weights * activations).sum(1, keepdim=True)
    return torch.relu(combined) if relu else combined


def ratio(above: Tensor, below: Tensor) -> Tensor:
    """A quotient that is 0 where the divisor is 0."""
    return torch.where(below == 0, torch.zeros_like(below), above / torch.where(below == 0, 1, below))
