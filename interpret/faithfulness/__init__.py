"""Which explanation to believe: metrics, one a file and each in the table below, and the sanity checks."""

import importlib
from typing import Any

# Metric to whether more of it is better (1) or less (-1). The command line and the tests read this table.
METRICS = {
    "insertion": 1,
    "deletion": -1,
    "road": 1,
    "average_drop": -1,
    "average_increase": 1,
    "infidelity": -1,
    "max_sensitivity": -1,
    "pointing_game": 1,
    "relevance_mass": 1,
}

# The metrics that need to know where the object is.
NEEDS_REGIONS = ("pointing_game", "relevance_mass")


def metric_named(name: str) -> Any:
    """The function behind a name of the table."""
    return getattr(importlib.import_module(f".{name}", __name__), name)
