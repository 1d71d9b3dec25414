"""Class activation mapping (Zhou et al. 2016, https://arxiv.org/abs/1512.04150)."""

import functools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..class_indices import class_indices
from ..classifier import network_of
from ..errors import InterpretError, NetworkError
from ..geometry import Geometry
from ..layer_outputs import laid_out, layer_of
from ..network.hooks import Call, traced
from ..network.outputs import first_tensor
from ..network.recording import recorded
from ..scores import Target, contrast
from .contract import explainer

NARROW = {torch.bfloat16: 2e-2, torch.float16: 3e-3}  # the error of logits by rounding, as a share of the largest


@explainer(Geometry.undo)
def cam(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """Where the last feature map adds to the class, read off the weights of the head.

    With a head of global average pooling and one linear layer, the map is the sum of the channels
    times the class's weights (eq. 2). With a convolution as the head, whose map of scores for each
    class is then averaged, as in SqueezeNet, it is that map. There is no choice of a layer and no
    gradient; for any other head use Grad-CAM.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a contrast of two.

    Returns:
        (N, 1, H, W) attribution, signed, whose mean over the network's input is the logit less the bias.

    Raises:
        NetworkError: the network has another head.
    """
    scores = _class_maps(classifier, images)
    if isinstance(target, contrast):
        return scores(target.target) - scores(target.versus)
    if callable(target):
        raise InterpretError("CAM reads a class's weights, so it explains the logit of a class or a contrast of two")
    return scores(target)


def _class_maps(classifier: nn.Module, images: Tensor) -> Callable[[Target], Tensor]:
    """A function from class indices to their maps, for whichever of the two heads the network has."""
    network, averages, linears = network_of(classifier), [], []
    layer = layer_of(classifier, images, None)

    def visit(call: Call) -> None:
        if isinstance(call.module, nn.Linear):
            linears.append((call.module, call.output.dtype))
        elif call.output.dim() == 4 and call.output[0, 0].numel() > 1:
            averages.append((call.name, _wide(call.output).mean((2, 3)), call.output.dtype))

    outputs: list[Tensor] = []
    with torch.no_grad():
        traced(network, lambda: outputs.append(_wide(first_tensor(classifier(images)))), visit)
    logits = outputs[0]
    for name, mean, kind in reversed(averages):
        if _close(mean, logits, kind, 1e-4):
            maps = _output_of(classifier, images, name)
            return lambda target: maps[torch.arange(len(maps)), class_indices(logits, target)][:, None]
    if linears and linears[-1][0].out_features == logits.shape[1]:
        activations = _output_of(classifier, images, layer)
        for features in (activations, torch.relu(activations)):  # which may be a ReLU that is not called by name
            if _gives(*linears[-1], features, logits):
                return functools.partial(_weighted, features, linears[-1][0].weight.to(features.dtype), logits)
    raise NetworkError(
        f"CAM needs a head of global average pooling and one linear layer, or a convolution that gives a map a "
        f"class and is then averaged, and nothing behind it; the logits of {type(network).__name__} are not those of "
        f"such a head: use Grad-CAM"
    )


def _output_of(classifier: nn.Module, images: Tensor, layer: str) -> Tensor:
    with recorded(network_of(classifier), layer, layouts=laid_out(classifier, images, layer)) as recording:
        classifier(images)
    return recording[layer]


def _gives(linear: nn.Linear, kind: torch.dtype, features: Tensor, logits: Tensor) -> bool:
    """Whether the logits are what a linear layer makes of the mean of the features over their places."""
    if features.shape[1] != linear.in_features:
        return False
    bias = None if linear.bias is None else linear.bias.to(features.dtype)
    found = F.linear(features.mean((2, 3)), linear.weight.to(features.dtype), bias)
    return _close(found, logits, kind, 1e-3)


def _close(found: Tensor, logits: Tensor, kind: torch.dtype, tolerance: float) -> bool:
    """Whether two (N, classes) differ by rounding alone, in the number format that the network works in."""
    tolerance = NARROW.get(kind, tolerance)
    scale = logits.abs().amax(1, keepdim=True) if kind in NARROW else logits.abs()
    return found.shape == logits.shape and bool(((found - logits).abs() <= tolerance * (1 + scale)).all())


def _wide(values: Tensor) -> Tensor:
    return values.float() if values.element_size() < 4 else values


def _weighted(features: Tensor, weights: Tensor, logits: Tensor, target: Target) -> Tensor:
    chosen = weights[class_indices(logits, target)][:, :, None, None]
    return (chosen * features).sum(1, keepdim=True)
