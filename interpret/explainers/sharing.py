"""Passes through a network that several methods need, made once."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from ..network.autograd import shared


@contextmanager
def shared_passes(wanted: bool = True) -> Iterator[None]:
    """A block in which methods that need the same pass through the network share it: those that look at the same
    layer for the same inputs, and those that differentiate by the inputs.

    The network and the inputs, which lie on its input grid, must not change inside. Every pass is kept until the
    block ends; where each is made for itself, such a block inside, not ``wanted``, keeps none.
    """
    before = shared.set({} if wanted else None)
    try:
        yield
    finally:
        shared.reset(before)


def passed_before(classifier: nn.Module, inputs: Tensor, layer: str | None) -> tuple | None:
    """What an earlier pass through a layer, or from the inputs where it is None, has left to share."""
    passed = shared.get()
    return passed and passed.get(_place(classifier, inputs, layer), (None, None))[1]


def share(classifier: nn.Module, inputs: Tensor, layer: str | None, made: tuple) -> None:
    """Leave a pass for ``passed_before``, inside ``shared_passes``."""
    passed = shared.get()
    if passed is not None:
        # The first two are kept so that nothing takes their place in memory.
        passed[_place(classifier, inputs, layer)] = (classifier, inputs), made


def _place(classifier: nn.Module, inputs: Tensor, layer: str | None) -> tuple:
    return id(classifier), layer, inputs.data_ptr(), inputs.shape
