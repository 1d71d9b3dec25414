"""One call of a function while a network runs: which of its arguments depend on the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

from .operations import plain_name


@dataclass(frozen=True)
class Call:
    """A call, and the tensors among its arguments, also inside lists, that depend on the picture."""

    func: Callable
    name: str
    leaves: list[Any]
    form: TreeSpec
    places: list[int]  # of the dependent tensors among the leaves

    @property
    def dependents(self) -> list[Tensor]:
        """The tensors that depend on the picture, in order."""
        return [self.leaves[place] for place in self.places]

    @property
    def arguments(self) -> tuple[tuple, dict]:
        """Positional and named arguments."""
        return tree_unflatten(self.leaves, self.form)

    @property
    def has_constants(self) -> bool:
        """Whether another argument is a tensor, or a number where a tensor could stand."""
        others = (leaf for place, leaf in enumerate(self.leaves) if place not in self.places)
        return any(isinstance(leaf, Tensor | float | int) and not isinstance(leaf, bool) for leaf in others)

    def run(self, *values: Tensor) -> Any:
        """The result with other values in place of the dependent tensors."""
        return self.changed(*values).plain()

    def plain(self) -> Any:
        """What the call gives by itself."""
        args, kwargs = self.arguments
        return self.func(*args, **kwargs)

    def changed(self, *values: Tensor) -> "Call":
        """The same call with other values in place of the dependent tensors."""
        leaves = list(self.leaves)
        for place, value in zip(self.places, values, strict=True):
            leaves[place] = value
        return Call(self.func, self.name, leaves, self.form, self.places)


def depends(tensor: Tensor) -> bool:
    """Whether a tensor was made of the picture, by something with a gradient; a parameter was not made of anything."""
    return tensor.requires_grad and not tensor.is_leaf


def call_of(func: Callable, args: tuple, kwargs: dict) -> Call:
    """The call of a function with these arguments."""
    leaves, form = tree_flatten((args, kwargs))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and depends(leaf)]
    return Call(func, plain_name(func), leaves, form, places)


class _Given(torch.autograd.Function):
    """Values as they are, through which a gradient goes to a stand-in."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, stand_in: Tensor) -> Tensor:
        ctx.mark_dirty(values)
        return values

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[None, Tensor]:
        return None, above


def given(values: Tensor, stand_in: Tensor) -> Tensor:
    """The values, with the gradient of a stand-in of their shape; values without a graph must be nobody else's."""
    own = not values.requires_grad and not values._is_view()
    return _Given.apply(values if own else values.detach().clone(), stand_in)
