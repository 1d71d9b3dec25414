"""Layers of weights as calls: their arguments, batch norm merged into them, and what a rule of LRP passes on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .calls import Call
from .composites import OF_PIXELS, Group, Layer, Part, Rule, Weights

Run = Callable[..., Tensor]  # of inputs, weight and perhaps bias


@dataclass(frozen=True)
class WeightsCall:
    """A call of a layer of weights."""

    run: Run
    layer: Weights
    rule: Rule
    channel: int  # the dimension of the weight, and of the output, that tells the output's channels
    transposed: bool


def is_of_input(call: Call) -> bool:
    """Whether the input alone, and not the weights, depends on the picture."""
    args, kwargs = call.arguments
    return len(call.places) == 1 and (args[0] if args else kwargs.get("input")) is call.dependents[0]


def kind_of(call: Call) -> Layer:
    """Which entry of a composite a layer goes by."""
    return "linear" if call.name == "linear" else "convolution"


def weights_call(call: Call, rule: Rule, box: tuple[Tensor, Tensor] | None) -> WeightsCall:
    """The parts of a call with a rule for it; ``box`` has the least and the largest inputs."""
    args, kwargs = call.arguments
    names = ("input", "weight", "bias")
    given = dict(zip(names, args, strict=False)) | kwargs
    rest = args[3:]
    options = {name: value for name, value in kwargs.items() if name not in names}

    def run(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return call.func(inputs, weight, bias, *rest, **options)

    low, high = box or (None, None)
    layer = Weights(given["input"], given["weight"], given.get("bias"), low, high)
    return WeightsCall(run, layer, rule, -1 if call.name == "linear" else 1, "transpose" in call.name)


def merged(made: WeightsCall, norm: Call) -> WeightsCall | None:
    """The layer with a batch norm of constants behind it as one; None where the two do not fit."""
    _, scale, shift, mean, variance, _, _, eps, *_ = norm.leaves
    layer = made.layer
    groups = layer.inputs.shape[1] != layer.weight.shape[0]
    if made.channel == -1 and layer.inputs.dim() != 2 or made.transposed and groups:
        return None
    steep = (variance + eps).rsqrt() * (1 if scale is None else scale)
    bias = (0 if layer.bias is None else layer.bias) * steep - mean * steep + (0 if shift is None else shift)
    channels = (1, -1) if made.transposed else (-1, 1)
    shape = (*channels, *[1] * (layer.weight.dim() - 2))
    return replace(made, layer=replace(layer, weight=layer.weight * steep.view(shape), bias=bias))


@dataclass(frozen=True)
class Passed:
    """What a rule passes on: a stand-in of the output, and what stays behind of every unit's relevance."""

    stand_in: Tensor
    biases: Tensor
    epsilon: Tensor


def passed(made: WeightsCall, z: Tensor, epsilon: float) -> Passed:
    """A rule at work on a layer with the output z.

    The gradient of the stand-in takes R / z to R / inputs, or to R itself for the rules of pixels.
    """
    stand_in, biases, left = torch.zeros_like(z), torch.zeros_like(z), torch.zeros_like(z)
    for group in made.rule(made.layer):
        values = [_values(made, part) for part in group.parts]
        bias = _bias(made, group, z)
        with torch.no_grad():
            total = sum(found for _, found in values) + bias
            stable = _stabilised(total, epsilon)
            share = z * group.portion(z) / stable
            biases += share * bias
            left += share * (stable - total)
        stand_in = stand_in + sum(linear for linear, _ in values) * share
    return Passed(stand_in, biases, left)


def _values(made: WeightsCall, part: Part) -> tuple[Tensor, Tensor]:
    """What takes the gradient of a part, and the part's value."""
    linear = made.run(made.layer.inputs * part.inputs.detach(), part.weight)
    if made.rule not in OF_PIXELS:
        return linear, linear.detach()
    with torch.no_grad():
        return linear, made.run(part.inputs.detach(), part.weight)


def _bias(made: WeightsCall, group: Group, z: Tensor) -> Tensor:
    biases = [part.bias for part in group.parts if part.bias is not None]
    if not biases:
        return z.new_zeros(())
    spatial = 0 if made.channel == -1 else made.layer.weight.dim() - 2
    return sum(biases).view(-1, *[1] * spatial)


def _stabilised(total: Tensor, epsilon: float) -> Tensor:
    """Away from zero by a share of each picture's root mean square in the layer."""
    dims = tuple(range(1, total.dim())) or (0,)
    scale = epsilon * total.square().mean(dims, keepdim=True).sqrt() + torch.finfo(total.dtype).tiny
    return total + torch.where(total < 0, -scale, scale)
