"""The explainers: one method a file, each listed here once."""

import importlib
from typing import Any

# The command line, the figures and the tests read this table.
EXPLAINERS = ("gradcam",)


def explainer_named(name: str) -> Any:
    """The function behind a name of the table."""
    return getattr(importlib.import_module(f".{name}", __name__), name)
