"""What it takes to run captum's methods on any network, without a trace in it."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ..scores import Target, score_of, target_of


@contextmanager
def quietly() -> Iterator[None]:
    """A block without captum's warnings about the hooks it sets and the gradients it switches on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A block with seeded global generators, also NumPy's, from which captum draws; they are restored afterwards."""
    before = np.random.get_state()
    np.random.seed(seed)
    torch.manual_seed(seed)  # inside left_as_found, which puts PyTorch's back
    try:
        yield
    finally:
        np.random.set_state(before)


def one_by_one(explain: Callable[[Tensor, int], Tensor], images: Tensor) -> Tensor:
    """Explain each image alone, so that what is drawn at random does not depend on the batch."""
    return torch.cat([explain(images[row : row + 1], row) for row in range(len(images))])


def score_of_row(classifier: nn.Module, target: Target, row: int) -> Callable[[Tensor], Tensor]:
    """The score as a function of changed copies of one image, all of which have the target of its row."""

    def score(inputs: Tensor) -> Tensor:
        rows = torch.full((len(inputs),), row, device=inputs.device)
        return score_of(classifier, inputs, target_of(target, rows))

    return score
