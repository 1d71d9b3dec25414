"""One defense a file: a function from a batch to the losses to take steps on.

A defense takes a ``Batch`` and, by keyword, options of its own. It yields functions that compute a loss; the loop
calls each of them, once or several times, takes a step on it, and then asks for the next.
"""

import importlib

from ...errors import AttackError
from .. import DEFENSES
from ..batch import Defense

# The options of a defense after a run was first rolled back.
CAUTIOUS = {"fgsm": {"random_start": True, "step_size": 1.25}}


def defense_named(name: str) -> Defense:
    """The function of the table's name, from the file of that name."""
    if name not in DEFENSES:
        raise AttackError(f"no defense {name!r}; there are {', '.join(DEFENSES)}")
    return getattr(importlib.import_module(f".{name}", __name__), name)
