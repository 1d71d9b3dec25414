"""Explain image classifiers: where they look, what they have learnt.

>>> import interpret
>>> classifier = interpret.load()
>>> image = interpret.read("sample:cat")
>>> attribution = interpret.gradcam(classifier, image, classifier.find("cat", image))
"""

import importlib
from typing import Any

from .explainers import EXPLAINERS, explainer_named

__version__ = "0.1.0"

# Where each public name lives; nothing is imported before it is used, so that importing is cheap.
_HOMES = {
    "activations": ("activation_maps", "first_filters", "projection"),
    "classifier": ("Classifier",),
    "drawing.deep_dream": ("deep_dream",),
    "drawing.inversion": ("invert",),
    "drawing.style_transfer": ("style_transfer",),
    "errors": ("InterpretError", "NetworkError", "PictureError", "UnknownNameError"),
    "datasets": ("has_test", "open_dataset"),
    "diagnosis": ("diagnose",),
    "faithfulness.average_drop": ("average_drop",),
    "faithfulness.average_increase": ("average_increase",),
    "faithfulness.deletion": ("deletion",),
    "faithfulness.infidelity": ("infidelity",),
    "faithfulness.insertion": ("insertion",),
    "faithfulness.max_sensitivity": ("max_sensitivity",),
    "faithfulness.pointing_game": ("pointing_game",),
    "faithfulness.relevance_mass": ("relevance_mass",),
    "faithfulness.road": ("road",),
    "faithfulness.sanity": ("sanity",),
    "folding": ("folded",),
    "fresh_layers": ("adapted",),
    "figure_grid": ("grid",),
    "colours": ("colorize",),
    "figures": ("combined", "heatmap", "limit_of", "overlay", "own_colours", "side_by_side"),
    "gradient_check": ("check_gradient",),
    "gradients": ("class_score", "contrast", "group", "log_probability"),
    "hooks": ("find_layer", "recorded"),
    "label_files": ("read_labels",),
    "labels": ("Labels", "imagenet"),
    "layers": ("default_layer",),
    "labelled_images": ("Data", "split"),
    "loading": ("load",),
    "networks": ("NETWORKS", "build"),
    "receptive_fields": ("receptive_field",),
    "reporting": ("report_page",),
    "smoothing": ("smoothed",),
    "top_activations": ("scan", "strongest_crops"),
    "trained": ("Recipe", "is_trained", "load_trained", "read_trained", "save_trained"),
    "unit_figures": ("activations_figure", "crops_figure", "filters_figure"),
    "pictures": ("from_grid", "read", "to_grid", "write"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME, *EXPLAINERS, "EXPLAINERS"])


def __getattr__(name: str) -> Any:
    if name in EXPLAINERS:
        return explainer_named(name)
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    if name in _HOMES:  # such as interpret.figures
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
