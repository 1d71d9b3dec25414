"""Which part of the network's input each unit can see."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..layer_outputs import maps_of
from ..network.hooks import left_as_found

SHARE = 0.95  # of the squared gradient, which lies in the effective field


@dataclass(frozen=True)
class Axis:
    """What the units along one axis of a layer's map see along the same axis of the input."""

    places: int  # of units in the map
    size: int  # of the input
    first_start: int  # where the field of the first place begins
    first_end: int  # where it ends
    last_start: int  # where the field of the last place begins
    last_end: int  # where it ends
    end_step: int  # how far the end moves from the first place to the second
    start_step: int  # how far the start moves from the last place but one to the last
    radius: float = math.inf  # of the effective field, around the centre of the whole one

    def span(self, place: int, effective: bool = False) -> tuple[int, int]:
        """The first pixel of a place's field, and the pixel after its last one, clipped to the input."""
        start = self.last_start - self.start_step * (self.places - 1 - place)
        end = self.first_end + self.end_step * place
        if effective and self.radius < math.inf:
            centre = self.centre(place)
            start, end = max(start, math.floor(centre - self.radius)), min(end, math.ceil(centre + self.radius))
        # Clipped to what any unit sees, which may end before the input: a stride can skip its last pixels.
        start, end = max(start, self.first_start), min(end, self.last_end)
        return (start, end) if start < end else (0, self.size)

    def centre(self, place: int) -> float:
        """The middle of the field, of which a part may lie outside of the input."""
        if self.first_end >= self.size or self.last_start <= 0:
            return (place + 0.5) * self.size / self.places  # the edges of the fields lie outside and are unknown
        start = self.last_start - self.start_step * (self.places - 1 - place)
        return (start + self.first_end + self.end_step * place) / 2


@dataclass(frozen=True)
class Field:
    """The receptive fields of all places of a layer."""

    rows: Axis
    columns: Axis

    def box(self, place: tuple[int, int], effective: bool = False) -> tuple[int, int, int, int]:
        """Left, top, right, bottom on the input grid of what the unit at a (row, column) sees, clipped to the input."""
        top, bottom = self.rows.span(place[0], effective)
        left, right = self.columns.span(place[1], effective)
        return left, top, right, bottom


def receptive_field(classifier: nn.Module, inputs: Tensor, layer: str) -> Field:
    """The receptive fields of the units of a layer.

    The field itself is exact: NaN in a part of the input reaches a unit if and only if its field touches
    that part, whatever the weights, and through any pooling or activation. It is measured by bisection at
    the first two and last two places of each axis, and moves evenly in between. The effective field (Luo
    et al. 2016, https://arxiv.org/abs/1701.04128) is the window around its centre that holds 95 % of the
    squared gradient of the middle unit, over four pictures of noise.

    Args:
        classifier: takes ``inputs`` to logits.
        inputs: (1, C, h, w) on the network's input grid; only its shape matters.
        layer: the layer's name.

    Returns:
        The fields of all places, in pixels of the input.

    Raises:
        UnknownNameError: no such layer.
        InterpretError: the layer's output is neither a map nor a vector.
    """
    with left_as_found(classifier, inputs.device), torch.backends.cudnn.flags(enabled=False):
        # cuDNN's fast convolutions mix neighbouring outputs, and would spread NaN.
        with torch.no_grad():
            shape = maps_of(classifier, torch.full_like(inputs, 0.5), layer).shape[-2:]
            rows, columns = (_axis(classifier, inputs, layer, axis, shape[axis]) for axis in (0, 1))
        return _with_radius(classifier, inputs, layer, Field(rows, columns))


def _axis(classifier: nn.Module, inputs: Tensor, layer: str, axis: int, places: int) -> Axis:
    size, along = inputs.shape[2 + axis], torch.arange(inputs.shape[2 + axis], device=inputs.device)
    second, last_but_one = min(1, places - 1), max(places - 2, 0)
    # The ends of three fields, and then the starts of three, which are counted from the other side of the input.
    last = places - 1
    probed = [(0, False), (second, False), (last, False), (last, True), (last_but_one, True), (0, True)]
    sees, blind = [0] * 6, [size] * 6  # NaN that begins at `sees` reaches the unit; beginning at `blind`, it does not
    while max(far - near for near, far in zip(sees, blind, strict=True)) > 1:
        middles = [(near + far) // 2 for near, far in zip(sees, blind, strict=True)]
        masks = [
            (size - 1 - along if mirrored else along) >= at for at, (_, mirrored) in zip(middles, probed, strict=True)
        ]
        mask = torch.stack(masks).reshape(6, 1, *((size, 1) if axis == 0 else (1, size)))
        given = torch.full_like(inputs, 0.5).expand(6, -1, -1, -1).masked_fill(mask, math.nan)
        reached = maps_of(classifier, given, layer).isnan().any(1).any(2 - axis)
        for number, (place, _) in enumerate(probed):
            if reached[number, place]:
                sees[number] = middles[number]
            else:
                blind[number] = middles[number]
    first_end, second_end, last_end, last_start, before_start, first_start = blind
    return Axis(
        places,
        size,
        first_start=size - first_start,
        first_end=first_end,
        last_start=size - last_start,
        last_end=last_end,
        end_step=second_end - first_end,
        start_step=before_start - last_start,
    )


def _with_radius(classifier: nn.Module, inputs: Tensor, layer: str, field: Field) -> Field:
    draws = torch.Generator().manual_seed(0)
    noise = torch.rand(4, *inputs.shape[1:], generator=draws).to(inputs).requires_grad_()
    maps = maps_of(classifier, noise, layer)
    units = maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]
    signs = torch.randn(units.shape, generator=draws).to(units)
    energy = torch.autograd.grad((units * signs).sum(), noise)[0].double().square().sum((0, 1)).cpu()
    if not 0 < float(energy.sum()) < math.inf:
        return field
    return Field(_within(field.rows, energy.sum(1)), _within(field.columns, energy.sum(0)))


def _within(axis: Axis, energy: Tensor) -> Axis:
    """The axis with the radius around its middle place that holds ``SHARE`` of the energy (pixels,)."""
    distance = (torch.arange(axis.size) + 0.5 - axis.centre(axis.places // 2)).abs()
    near = distance.argsort()
    enough = int((energy[near].cumsum(0) < SHARE * energy.sum()).sum())
    radius = float(distance[near[min(enough, axis.size - 1)]]) + 0.5
    return replace(axis, radius=radius)
