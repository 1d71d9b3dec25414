"""Calls that select: pooling by the maximum, and the largest or smallest along dimensions or of two."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .calls import Call, given
from .multipliers import largest_stand_in


@dataclass(frozen=True)
class Selection:
    """What was selected from where, with the dimensions that were searched as one, the last."""

    values: Tensor
    places: Tensor  # (..., M) in the dimension of K places
    dims: tuple[int, ...]

    def searched(self, z: Tensor) -> Tensor:
        """The input as (..., K)."""
        return z.movedim(self.dims, tuple(range(-len(self.dims), 0))).flatten(-len(self.dims))


def of_two(call: Call) -> bool:
    """Whether a call takes the larger or the smaller of two tensors."""
    return sum(isinstance(leaf, Tensor) for leaf in call.leaves) == 2


def is_smallest(call: Call) -> bool:
    """Whether a call takes the smallest instead of the largest."""
    return "min" in call.name


def _arguments(call: Call) -> tuple[Tensor, list, dict]:
    args, kwargs = call.arguments
    z, rest = (args[0], args[1:]) if args else (kwargs.pop("input"), ())
    return z, list(rest), kwargs


def selection_of(call: Call) -> Selection:
    """What a call selects."""
    z, rest, options = _arguments(call)
    if "pool" in call.name:
        base = call.name.removesuffix("_with_indices")
        values, places = getattr(F, f"{base}_with_indices")(z, *rest, **options)
        count = int(base[-2])
        return Selection(values, places.flatten(-count), tuple(range(-count, 0)))
    dim = rest[0] if rest else options.get("dim", options.get("axis"))
    dims = (dim,) if isinstance(dim, int) else tuple(dim or range(z.dim()))
    output = call.plain()
    found = Selection(output[0] if isinstance(output, tuple) else output, torch.empty(0), dims)
    searched = found.searched(-z if is_smallest(call) else z)
    return Selection(found.values, searched.argmax(-1, keepdim=True), dims)


def largest_given(call: Call, z: Tensor, z0: Tensor) -> object:
    """The call's result, with the gradient of its stand-in between a reference and the input."""
    with torch.no_grad():
        now, before = selection_of(call), selection_of(call.changed(z0))
    sign = -1 if is_smallest(call) else 1
    searched, searched0 = (sign * now.searched(values) for values in (z, z0))
    stand_in = sign * largest_stand_in(searched, searched0, now.places, before.places)
    values = given(now.values, stand_in.reshape(now.values.shape))
    output = call.plain()
    return type(output)((values, output[1])) if isinstance(output, tuple) else values


def larger_given(call: Call, references: list[Tensor]) -> Tensor:
    """The same for the larger or the smaller of two."""
    sign = -1 if is_smallest(call) else 1

    def both(values: list[Tensor]) -> Tensor:
        tensors = [leaf for leaf in call.changed(*values).leaves if isinstance(leaf, Tensor)]
        return sign * torch.stack(torch.broadcast_tensors(*tensors), -1)

    now, before = both(call.dependents), both(references)
    places, places0 = (values.detach().argmax(-1, keepdim=True) for values in (now, before))
    stand_in = sign * largest_stand_in(now, before, places, places0)
    return given(call.plain(), stand_in.squeeze(-1))
