"""First-layer filters, activation maps, and the patterns that made a unit respond."""

import math

import torch
from torch import Tensor, nn

from ..classifier import Classifier, network_of, on_input_grid
from ..errors import NetworkError
from ..layer_outputs import laid_out, layer_of, maps_of
from ..network.autograd import leaf
from ..network.backward_rules import Rule, ruled_gradient
from ..network.hooks import find_layer, left_as_found
from ..network.layers import layers


def first_filters(classifier: Classifier, layer: str | None = None) -> Tensor:
    """The weights of the first layer, as they are.

    Args:
        classifier: the classifier.
        layer: the name of another convolution or linear layer.

    Returns:
        (K, C, h, w), signed: one filter for each unit; for a linear layer on the flattened picture, one
        template of the picture's own size for each unit.

    Raises:
        UnknownNameError: no such layer.
        NetworkError: the layer has no filters, or its weights do not have the size of a picture.
    """
    name = layer or _first_weighted(classifier)
    module = find_layer(classifier.network, name)[0]
    weight = getattr(module, "weight", None)
    if isinstance(module, nn.Linear):
        channels = len(classifier.mean)
        return weight.detach().clone().reshape(len(weight), channels, *_template_size(classifier, name, weight))
    if not isinstance(module, nn.Conv2d):
        raise NetworkError(f"layer {name!r} is a {type(module).__name__}; filters are of a Conv2d or Linear layer")
    return weight.detach().clone()


def _first_weighted(classifier: Classifier) -> str:
    """The name of the convolution or linear layer that runs first."""
    size = classifier.input_size or (224, 224)
    image = torch.full((1, len(classifier.mean), *size), 0.5, device=classifier.mean.device)
    try:
        names = [seen.name for seen in layers(classifier.network, lambda: classifier.on_inputs()(image))]
    except RuntimeError:
        # Without an input_size it is unknown what the network takes; then the order of its modules decides.
        names = [name for name, _ in classifier.network.named_modules() if name]
    if isinstance(classifier.network, nn.Conv2d | nn.Linear):
        raise NetworkError("the network is a single layer without a name; wrap it in nn.Sequential")
    for name in names:
        if isinstance(find_layer(classifier.network, name)[0], nn.Conv2d | nn.Linear):
            return name
    raise NetworkError("the network has neither a convolution nor a linear layer")


def _template_size(classifier: Classifier, name: str, weight: Tensor) -> tuple[int, int]:
    channels, values = len(classifier.mean), weight.shape[1]
    side = math.isqrt(values // channels)
    height, width = classifier.input_size or (side, side)
    if channels * height * width != values:
        raise NetworkError(
            f"the {values} weights a unit of layer {name!r} are not a picture of {channels} x {height} x {width}; "
            "give the input_size of the picture it flattens, or name the layer that sees the picture"
        )
    return height, width


def activation_maps(classifier: nn.Module, images: Tensor, layer: str | None = None) -> Tensor:
    """What a layer gives for pictures.

    Args:
        classifier: the classifier.
        images: (N, C, H, W), in [0, 1].
        layer: the layer's name; the last feature map by default.

    Returns:
        (N, K, u, v), in the layer's own units; (N, K, 1, 1) for a layer of vectors.

    Raises:
        UnknownNameError: no such layer.
        InterpretError: the layer's output is neither a map nor a vector.
    """
    with left_as_found(classifier, images.device), torch.no_grad():
        view, inputs, _ = on_input_grid(classifier, images.detach())
        return maps_of(view, inputs, layer_of(view, inputs, layer))


def projection_rule(network: nn.Module) -> Rule:
    """The rule that shows what a unit responds to: "deconvnet" for networks with max-pooling, else "guided".

    A deconvnet knows the picture by the switches of max-pooling alone; without them it gives the same pattern for every
    picture. Springenberg et al. (2015, https://arxiv.org/abs/1412.6806) therefore guide it by the activations.
    """
    return "deconvnet" if any(isinstance(module, nn.MaxPool2d) for module in network.modules()) else "guided"


def projection(
    classifier: nn.Module,
    inputs: Tensor,
    layer: str,
    channel: int,
    place: tuple[int, int],
    *,
    rule: Rule = "deconvnet",
) -> Tensor:
    """The pattern that made one unit respond (Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901).

    The network runs backwards from that unit alone. As in ``deconvnet``, every activation passes on what
    is positive, and max-pooling sends it back through its switches; or the rule is ``guided_backprop``'s.

    Args:
        classifier: takes ``inputs`` to logits.
        inputs: (N, C, h, w) on the network's input grid.
        layer: the layer's name.
        channel: its number in the layer.
        place: row and column in the layer's map.
        rule: "deconvnet" or "guided", see ``interpret.network.backward_rules`` and ``projection_rule``.

    Returns:
        (N, C, h, w), signed.

    Raises:
        NetworkError: the network has no activation that the rule knows.
    """

    def unit(given: Tensor) -> Tensor:
        return maps_of(classifier, given, layer)[:, channel, place[0], place[1]]

    with left_as_found(classifier, inputs.device):
        laid_out(classifier, inputs, layer)  # found out here, since no rule must see these passes
        return ruled_gradient(unit, leaf(inputs.detach()), rule, network_of(classifier))[0].detach()
