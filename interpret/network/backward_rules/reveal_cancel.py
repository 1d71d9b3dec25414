"""DeepLIFT's second rule for activations, which tells apart what raises and what lowers their input (section 3.5.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from .calls import Call, given
from .composites import epsilon
from .multipliers import slope
from .propagation import normalises_by_constants, written
from .rescale import Baseline, Difference
from .weights import WeightsCall, is_of_input, merged, weights_call


class RevealBaseline(Baseline):
    """The pass of the baseline, which also keeps the inputs of layers of weights."""

    def weights(self, call: Call) -> Tensor:
        """Keep the input of a layer."""
        if is_of_input(call):
            self.keep(call, *call.dependents)
        return super().weights(call)


@dataclass(frozen=True)
class _Made:
    """By which layer, with which reference, a tensor was made, as long as nobody writes into it."""

    version: int
    call: WeightsCall
    reference: Tensor


class RevealDifference(Difference):
    """The pass of the picture: activations right behind a layer of weights, or its batch norm, follow reveal-cancel."""

    def __init__(self, kept: list[tuple[str, list[Tensor]]]) -> None:
        super().__init__(kept)
        self.made: WeakTensorKeyDictionary = WeakTensorKeyDictionary()

    def weights(self, call: Call) -> Tensor:
        """Remember the layer."""
        if not is_of_input(call):
            return super().weights(call)
        (reference,) = self.kept(call, *call.dependents)
        output = super().weights(call)
        self.made[output] = _Made(output._version, weights_call(call, epsilon, None), reference)
        return output

    def maker(self, z: Tensor) -> _Made | None:
        """What is known of a tensor."""
        made = self.made.get(z)
        return made if made is not None and made.version == z._version else None

    def compound(self, call: Call) -> Tensor:
        """Batch norm is one with the layer of weights before it."""
        output = super().compound(call)
        made = self.maker(call.dependents[0]) if normalises_by_constants(call) and call.name == "batch_norm" else None
        both = merged(made.call, call) if made is not None else None
        if both is not None:
            self.made[output] = _Made(output._version, both, made.reference)
        return output

    def elementwise(self, call: Call) -> Tensor:
        """An activation, by reveal-cancel where its input is made by a layer of weights."""
        made = self.maker(call.dependents[0]) if len(call.places) == 1 else None
        if made is None:
            return super().elementwise(call)
        (z0,), (z,) = self.reference(call), call.dependents
        with torch.no_grad():
            value = z.clone()
            output = call.run(value)
        return written(output is value, z, given(output, _stand_in(call, made, z, z0, output)))


def _stand_in(call: Call, made: _Made, z: Tensor, z0: Tensor, output: Tensor) -> Tensor:
    """A linear function of the layer's input, with a slope for the products that rise and one for those that fall."""
    inputs, weight, run = made.call.layer.inputs, made.call.layer.weight, made.call.run
    with torch.no_grad():
        change = inputs - made.reference
        up, down = (change > 0).to(inputs), (change < 0).to(inputs)
        over, under = weight.clamp(min=0), weight.clamp(max=0)
        rise = run(change * up, over) + run(change * down, under)
        fall = run(change * up, under) + run(change * down, over)
        before, risen, fallen = (call.run(start.clone()) for start in (z0, z0 + rise, z0 + fall))
        flat = slope(call.run, (z + z0) / 2)
        size = z0.abs() + rise - fall
        rising = _ratio((risen - before + output - fallen) / 2, rise, size, flat)
        falling = _ratio((fallen - before + output - risen) / 2, fall, size, flat)
    parts = (
        (run(inputs * up, over) + run(inputs * down, under)) * rising,
        (run(inputs * up, under) + run(inputs * down, over)) * falling,
        run(inputs * (1 - up - down), weight) * (rising + falling) / 2,
    )
    return sum(parts)


def _ratio(change: Tensor, by: Tensor, size: Tensor, otherwise: Tensor) -> Tensor:
    """A quotient, or something else where the divisor is too small beside the numbers that it was made of."""
    close = by.abs() <= torch.finfo(by.dtype).eps ** 0.5 * size
    return torch.where(close, otherwise, change / torch.where(close, 1, by))
