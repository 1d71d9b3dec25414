"""Class activation mapping (Zhou et al. 2016, https://arxiv.org/abs/1512.04150)."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..classifier import first_tensor
from ..errors import InterpretError, NetworkError
from ..geometry import Geometry
from ..gradients import Target, class_indices, contrast
from ..hooks import Call, recorded, traced
from .contract import explainer, layer_of, network_of


@explainer(Geometry.undo)
def cam(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """Where the last feature map adds to the class, read off the weights of the head.

    With a head of global average pooling and one linear layer, the map is the sum of the channels
    times the class's weights (eq. 2). With a convolution for a head, which gives a map of scores for
    each class that is then averaged, as in SqueezeNet, it is that map. There is no other layer to
    choose and no gradient; for any other head use Grad-CAM.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a contrast of two.

    Returns:
        (N, 1, H, W) attribution, signed, whose mean over the network's input is the logit less the bias.

    Raises:
        NetworkError: the head is another one; the message says so.
    """
    scores = _class_maps(classifier, images)
    if isinstance(target, contrast):
        return scores(target.target) - scores(target.versus)
    if callable(target):
        raise InterpretError("CAM reads a class's weights, so it explains the logit of a class or a contrast of two")
    return scores(target)


def _class_maps(classifier: nn.Module, images: Tensor) -> Callable[[Target], Tensor]:
    """A function from class indices to their maps, for whichever of the two heads the network has."""
    network, heads = network_of(classifier), []
    layer = layer_of(classifier, images, None)

    def visit(call: Call) -> None:
        if isinstance(call.module, nn.Linear):
            heads.append(("", call.module, None))
        elif call.output.dim() == 4 and call.output[0, 0].numel() > 1:
            heads.append((call.name, None, call.output.mean((2, 3))))

    outputs: list[Tensor] = []
    with torch.no_grad():
        traced(network, lambda: outputs.append(first_tensor(classifier(images))), visit)
    logits = outputs[0]
    for name, _, mean in reversed(heads):
        if mean is not None and mean.shape == logits.shape and torch.allclose(mean, logits, atol=1e-4, rtol=1e-4):
            return _from_score_maps(classifier, images, logits, name)
    linear = [module for _, module, _ in heads if module is not None]
    if len(linear) == 1 and linear[0].out_features == logits.shape[1]:
        maps = _from_linear(classifier, images, logits, layer, linear[0])
        if maps is not None:
            return maps
    raise NetworkError(
        f"CAM needs a head of global average pooling and one linear layer, or a convolution that gives a map a "
        f"class and is then averaged; {type(network).__name__} has neither: use Grad-CAM"
    )


def _from_score_maps(classifier: nn.Module, images: Tensor, logits: Tensor, layer: str) -> Callable[[Target], Tensor]:
    with recorded(network_of(classifier), layer) as recording:
        classifier(images)
    maps = recording[layer]
    return lambda target: maps[torch.arange(len(maps)), class_indices(logits, target)][:, None]


def _from_linear(
    classifier: nn.Module, images: Tensor, logits: Tensor, layer: str, linear: nn.Linear
) -> Callable[[Target], Tensor] | None:
    """The maps, if the linear layer really sees the mean of this layer; None if it sees something else."""
    with recorded(network_of(classifier), layer) as recording:
        classifier(images)
    for activations in (recording[layer], torch.relu(recording[layer])):  # DenseNet's last ReLU is a function
        if activations.shape[1] != linear.in_features:
            continue
        if torch.allclose(linear(activations.mean((2, 3))), logits, atol=1e-3, rtol=1e-3):
            return functools.partial(_weighted, activations, linear.weight, logits)
    return None


def _weighted(activations: Tensor, weights: Tensor, logits: Tensor, target: Target) -> Tensor:
    chosen = weights[class_indices(logits, target)][:, :, None, None]
    return (chosen * activations).sum(1, keepdim=True)
