"""What a picture is made to raise: objectives, which add up and take weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import InterpretError

# What the network saw in pictures or their views: layer to activation, channels first, and the "layouts" of layers,
# "image", "logits", and the number of "pictures".
Seen = Mapping[str, Any]


@dataclass(frozen=True)
class Objective:
    """A number to be raised for each picture.

    Objectives compose: ``0.7 * channel("layer3", 44) + 0.3 * logit(285)``.
    """

    layers: frozenset[str]  # whose activations the score needs
    score: Callable[[Seen], Tensor]  # from what the network saw in N pictures to (N,) numbers
    name: str
    logits: bool = True  # whether the score needs the logits; else the network runs only as far as the layers

    def __add__(self, other: "Objective") -> "Objective":
        return Objective(
            self.layers | other.layers,
            lambda seen: self.score(seen) + other.score(seen),
            f"{self.name} + {other.name}",
            self.logits or other.logits,
        )

    def __mul__(self, weight: float) -> "Objective":
        return Objective(self.layers, lambda seen: weight * self.score(seen), f"{weight:g} x {self.name}", self.logits)

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return -1 * self

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -other


def logit(index: int | Sequence[int]) -> Objective:
    """The logit of a class; of several classes, one for each picture of a batch in turn.

    The probability would not do: it could also be raised by lowering the other classes.
    """
    return Objective(frozenset(), lambda seen: _picked(seen["logits"], index, "class"), f"logit {index}")


def channel(layer: str, number: int | Sequence[int]) -> Objective:
    """The mean of a channel over all places; of several channels, one for each picture of a batch in turn."""

    def score(seen: Seen) -> Tensor:
        activations = seen[layer]
        means = activations.flatten(2).mean(2) if activations.dim() > 2 else activations
        return _picked(means, number, f"channel of {layer!r}")

    return Objective(frozenset([layer]), score, f"{layer}:{number}", logits=False)


def neuron(layer: str, number: int, row: int | None = None, column: int | None = None) -> Objective:
    """One channel at one place, by default the middle of the map."""

    def score(seen: Seen) -> Tensor:
        activations = map_in(seen, layer)
        height, width = activations.shape[2:]
        place = height // 2 if row is None else row, width // 2 if column is None else column
        if not (0 <= place[0] < height and 0 <= place[1] < width):
            raise InterpretError(f"layer {layer!r} has {height} x {width} places; there is no place {place}")
        return _picked(activations[:, :, place[0], place[1]], number, f"channel of {layer!r}")

    return Objective(frozenset([layer]), score, f"{layer}:{number}@{row},{column}", logits=False)


def map_in(seen: Seen, layer: str) -> Tensor:
    """The map (N, K, u, v) that a layer gave; InterpretError where its activations have no places."""
    activations, layout = seen[layer], seen.get("layouts", {}).get(layer)
    if layout is not None:
        return layout.map_of(activations)
    if activations.dim() != 4:
        raise InterpretError(f"layer {layer!r} gives {tuple(activations.shape)}, which has no rows and columns")
    return activations


def direction(layer: str, vector: Tensor) -> Objective:
    """The mean over all places of the dot product with a direction (K,) in a layer's space."""

    def score(seen: Seen) -> Tensor:
        activations = seen[layer]
        means = activations.flatten(2).mean(2) if activations.dim() > 2 else activations
        if len(vector) != means.shape[1]:
            raise InterpretError(f"layer {layer!r} has {means.shape[1]} channels, the direction {len(vector)}")
        return means @ vector.to(means)

    return Objective(frozenset([layer]), score, f"{layer}:direction", logits=False)


def energy(layer: str) -> Objective:
    """The mean square of a whole layer, which deep dreams raise."""
    return Objective(frozenset([layer]), lambda seen: seen[layer].flatten(1).square().mean(1), layer, logits=False)


def total_variation() -> Objective:
    """The mean difference between neighbouring pixels, which is lowered to make pictures smooth."""

    def score(seen: Seen) -> Tensor:
        image = seen["image"]
        down = (image[..., 1:, :] - image[..., :-1, :]).abs().flatten(1).mean(1)
        across = (image[..., 1:] - image[..., :-1]).abs().flatten(1).mean(1)
        return down + across

    return Objective(frozenset(), score, "total variation", logits=False)


def apart(layer: str) -> Objective:
    """How alike pictures are in a layer: the mean cosine of their Gram matrices, which is lowered to make them differ.

    The views come in rounds, one of each picture, and the pictures are compared within each round.
    """

    def score(seen: Seen) -> Tensor:
        features = seen[layer].flatten(2)
        grams = nn.functional.normalize((features @ features.mT).flatten(1), dim=1)
        count = seen["pictures"]
        rounds = grams.view(-1, count, grams.shape[1])
        likeness = rounds @ rounds.mT
        others = likeness.sum(2) - likeness.diagonal(dim1=1, dim2=2)
        return (others / max(1, count - 1)).flatten()

    return Objective(frozenset([layer]), score, f"likeness in {layer}", logits=False)


def _picked(values: Tensor, number: int | Sequence[int], what: str) -> Tensor:
    """(N,) values of (N, K): those of one column, or of several columns, one for each picture in turn."""
    numbers = torch.as_tensor(number, device=values.device)
    if numbers.numel() == 0 or not 0 <= int(numbers.min()) <= int(numbers.max()) < values.shape[1]:
        raise InterpretError(f"there is no {what} {number}; they go from 0 to {values.shape[1] - 1}")
    if numbers.dim() == 0:
        return values[:, number]
    return values.gather(1, numbers.repeat(len(values) // len(numbers))[:, None])[:, 0]
