"""The commands that are not explainers, one a file, each named as its file."""

from ..lazy import imported

NAMES = (
    "predict",
    "grid",
    "filters",
    "activations",
    "top_activations",
    "check_gradient",
    "models",
    "layers",
    "classes",
    "methods",
    "samples",
    "visualize",
    "dream",
    "style",
    "invert",
    "attack",
    "evaluate",
    "train",
    "report",
    "doctor",
    "completion",
)
COMMANDS = {name.replace("_", "-"): imported(f"{__name__}.{name}", name) for name in NAMES}
