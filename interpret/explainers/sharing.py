"""Passes through a network that several methods need and that are made only once."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from ..network.autograd import shared


@contextmanager
def shared_passes(wanted: bool = True) -> Iterator[None]:
    """A block in which methods that look at the same layer, or that differentiate by the inputs, share a pass.

    The network and the inputs, which lie on its input grid, must not change inside. Every pass is kept until the
    block ends, except in an inner block that is not ``wanted``, for inputs of which no two are the same.
    """
    before = shared.set({} if wanted else None)
    try:
        yield
    finally:
        shared.reset(before)


def passed_before(classifier: nn.Module, inputs: Tensor, layer: str | None) -> tuple | None:
    """What an earlier pass has left to share: one with a graph from this layer, or from the inputs if it is None."""
    passed = shared.get()
    return passed and passed.get(_place(classifier, inputs, layer), (None, None))[1]


def share(classifier: nn.Module, inputs: Tensor, layer: str | None, made: tuple) -> None:
    """Leave a pass for ``passed_before``, inside ``shared_passes``."""
    passed = shared.get()
    if passed is not None:
        # Classifier and inputs are kept, so that nothing else gets their place in memory, and thus their key.
        passed[_place(classifier, inputs, layer)] = (classifier, inputs), made


def _place(classifier: nn.Module, inputs: Tensor, layer: str | None) -> tuple:
    return id(classifier), layer, inputs.data_ptr(), inputs.shape
