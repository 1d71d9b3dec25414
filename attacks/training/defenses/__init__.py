"""One defense a file: a function to the losses to step on.

Each takes ``(model, images, labels, *, attacked, eps, generator, memory, ...)``: a model from
images (n, ...) in [0, 1] to logits (n, C) that is being trained, (n, ...) images, (n,) labels, the
model as attacks shall see it, which is in evaluation mode by default, the radius of the Linf ball, a
generator for whatever is random, and a dict that it may keep things in from batch to batch, tensors
by name. It yields functions to a loss; the loop calls each, once or several times, takes a step on
it, and then asks for the next.
"""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from ...errors import AttackError
from .. import DEFENSES

LossOf = Callable[[], Tensor]
Defense = Callable[..., Iterator[LossOf]]

# What is done instead from when a run was first rolled back.
CAUTIOUS = {"fgsm": {"random_start": True, "step_size": 1.25}}


def defense_named(name: str) -> Any:
    """The function of the table's name, from the file of that name.

    Raises:
        AttackError: there is none.
    """
    if name not in DEFENSES:
        raise AttackError(f"no defense {name!r}; there are {', '.join(DEFENSES)}")
    return getattr(importlib.import_module(f".{name}", __name__), name)
