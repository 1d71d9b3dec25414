"""LRP's rules for layers of weights, and the composites that say which layer gets which.

A rule says which of the products of inputs and weights share the relevance of an output, and in what proportion. Each
is the sum over groups: z_g, the sum of some products, passes on the share R / z_g of the relevance R for each unit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...errors import InterpretError, did_you_mean

Layer = Literal["first", "convolution", "linear"]


@dataclass(frozen=True)
class Weights:
    """A layer of weights, and its input."""

    inputs: Tensor
    weight: Tensor
    bias: Tensor | None  # of the shape that is added to the output
    low: Tensor | None = None  # the least and the largest values that the inputs can have, where these are pixels
    high: Tensor | None = None

    def part(self, inputs: Tensor, lower: float | None = None, upper: float | None = None, bias: bool = True) -> "Part":
        """The products of inputs with those weights that lie between two bounds, with or without the bias's part."""
        if lower is None and upper is None:
            return Part(inputs, self.weight, self.bias if bias else None)
        kept = None if self.bias is None or not bias else self.bias.clamp(lower, upper)
        return Part(inputs, self.weight.clamp(lower, upper), kept)


@dataclass(frozen=True)
class Part:
    """Products of what stands for each input, 1 or 0 for those that take part or a value of its own, and weights."""

    inputs: Tensor
    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True)
class Group:
    """Parts that share a portion of the relevance of every output."""

    parts: list[Part]
    portion: Callable[[Tensor], Tensor | float] = lambda z: 1.0


Rule = Callable[[Weights], list[Group]]


def _signs(layer: Weights) -> tuple[Tensor, Tensor]:
    return (layer.inputs > 0).to(layer.inputs), (layer.inputs < 0).to(layer.inputs)


def epsilon(layer: Weights) -> list[Group]:
    """Every product takes part (Bach et al. 2015, eq. 58)."""
    return [Group([layer.part(torch.ones_like(layer.inputs))])]


def z_plus(layer: Weights) -> list[Group]:
    """The positive products alone (Montavon et al. 2017, https://doi.org/10.1016/j.patcog.2016.11.008)."""
    return [Group(_positive(layer))]


def alpha_beta(alpha: float = 2.0, beta: float = 1.0) -> Rule:
    """Positive products with the weight alpha, negative ones with -beta (Bach et al. 2015, eq. 60)."""

    def rule(layer: Weights) -> list[Group]:
        return [Group(_positive(layer), lambda z: alpha), Group(_negative(layer), lambda z: -beta)]

    return rule


def _positive(layer: Weights) -> list[Part]:
    above, below = _signs(layer)
    return [layer.part(above, lower=0), layer.part(below, upper=0, bias=False)]


def _negative(layer: Weights) -> list[Part]:
    above, below = _signs(layer)
    return [layer.part(above, upper=0), layer.part(below, lower=0, bias=False)]


def gamma(strength: float = 0.25) -> Rule:
    """Products of the output's own sign count 1 + gamma times (Montavon et al. 2019, section 10.2.3)."""

    def favoured(layer: Weights, kept: list[Part]) -> list[Part]:
        everything = [layer.part(part.inputs, bias=place == 0) for place, part in enumerate(kept)]
        return [
            Part(
                whole.inputs,
                whole.weight + strength * part.weight,
                None if whole.bias is None else whole.bias + strength * part.bias,
            )
            for whole, part in zip(everything, kept, strict=True)
        ]

    def rule(layer: Weights) -> list[Group]:
        return [
            Group(favoured(layer, _positive(layer)), lambda z: (z > 0).to(z)),
            Group(favoured(layer, _negative(layer)), lambda z: (z < 0).to(z)),
        ]

    return rule


def _varying(layer: Weights) -> Tensor:
    """1 for pixels, and 0 for what is constant between them, such as padding."""
    return (layer.low < layer.high).to(layer.inputs)


def flat(layer: Weights) -> list[Group]:
    """Every input alike (Lapuschkin et al. 2019, https://doi.org/10.1038/s41467-019-08987-4)."""
    return [Group([Part(_varying(layer), torch.ones_like(layer.weight), None)])]


def w_square(layer: Weights) -> list[Group]:
    """By the squares of the weights, for inputs without bounds (Montavon et al. 2017)."""
    return [Group([Part(_varying(layer), layer.weight.square(), None)])]


def z_box(layer: Weights) -> list[Group]:
    """By the products less what the least and the largest pixels would give (Montavon et al. 2017)."""
    rising, falling = layer.part(-layer.low, lower=0, bias=False), layer.part(-layer.high, upper=0, bias=False)
    return [Group([layer.part(layer.inputs, bias=False), rising, falling])]


# These give relevance itself to pixels, also to those that are 0; the others give it for each unit of the input.
OF_PIXELS = (flat, w_square, z_box)

# Composite to the rules of the first layer, of convolutions and of linear layers; one without a rule for the first
# treats it as any other.
COMPOSITES: dict[str, dict[Layer, str]] = {
    "epsilon": {"convolution": "epsilon", "linear": "epsilon"},
    "epsilon-plus": {"convolution": "z+", "linear": "epsilon"},
    "epsilon-plus-flat": {"first": "flat", "convolution": "z+", "linear": "epsilon"},
    "epsilon-alpha2-beta1": {"convolution": "alpha-beta", "linear": "epsilon"},
    "epsilon-alpha2-beta1-flat": {"first": "flat", "convolution": "alpha-beta", "linear": "epsilon"},
    "epsilon-gamma-box": {"first": "z-box", "convolution": "gamma", "linear": "epsilon"},
    "epsilon-gamma-wsquare": {"first": "w-square", "convolution": "gamma", "linear": "epsilon"},
    "attnlrp": {"convolution": "gamma", "linear": "gamma"},
}
# Composites by which attention passes half of what it gets to the weights of attention, and these to queries and keys
# (Achtibat et al. 2024, https://arxiv.org/abs/2402.05602); by the others its weights are a gate.
OPENING_ATTENTION = ("attnlrp",)


def composite_named(name: str, strength: float = 0.25) -> dict[Layer, Rule]:
    """The rules of a composite, with a strength of gamma; InterpretError if there is no such composite."""
    if name not in COMPOSITES:
        raise InterpretError(
            f"no composite {name!r}{did_you_mean(name, COMPOSITES)}; there are {', '.join(COMPOSITES)}"
        )
    rules = {
        "epsilon": epsilon,
        "z+": z_plus,
        "alpha-beta": alpha_beta(2.0, 1.0),
        "gamma": gamma(strength),
        "flat": flat,
        "w-square": w_square,
        "z-box": z_box,
    }
    return {layer: rules[rule] for layer, rule in COMPOSITES[name].items()}
