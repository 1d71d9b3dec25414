"""Inputs that a network refuses in words of its own, such as a transformer for pictures of one size."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from ..errors import RefusedInputError, printable, shortened


@contextmanager
def refusals_told(inputs: Tensor) -> Iterator[None]:
    """A block in which a network's own complaint about its inputs (N, C, h, w) becomes a RefusedInputError."""
    try:
        yield
    except (AssertionError, ValueError) as error:
        size = f"pictures of {inputs.shape[-1]} x {inputs.shape[-2]} pixels" if inputs.dim() == 4 else "these inputs"
        said = shortened(printable(str(error)), 200)
        raise RefusedInputError(
            f"the network does not take {size} ({said}); give the input size that it takes (--input-size)"
        ) from error
