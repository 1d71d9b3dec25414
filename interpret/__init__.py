"""Explain image classifiers: where they look, what they have learnt.

>>> import interpret
>>> classifier = interpret.load()
>>> image = interpret.read("sample:cat")
>>> attribution = interpret.gradcam(classifier, image, classifier.find("cat", image))
"""

import importlib
from typing import Any

from .explainers import BUILT_IN, EXPLAINERS, explainer_named

__version__ = "0.1.0"

# The module of each public name; none is imported before a name of it is used, so that importing is cheap.
_HOMES = {
    "calibration_error": ("calibration",),
    "classifier": ("Classifier",),
    "concepts.craft": ("craft",),
    "concepts.tcav": ("tcav",),
    "corruptions": ("CORRUPTIONS",),
    "corruptions.corrupt": ("corrupt",),
    "datasets.batches": ("batches",),
    "datasets.dataset": ("Dataset", "mean_and_std", "split"),
    "datasets.folders": ("class_index", "labelled_files", "labelled_pictures"),
    "datasets.named": ("has_test", "open_dataset"),
    "drawing.deep_dream": ("dream",),
    "drawing.expressions": ("objective_of",),
    "drawing.feature_visualization": ("visualize",),
    "drawing.inversion": ("invert",),
    "drawing.style_transfer": ("style",),
    "errors": ("InterpretError", "NetworkError", "PictureError", "UnknownNameError"),
    "explainers.absent_classes": ("absence",),
    "explainers.aggregation": ("combined",),
    "explainers.blank_maps": ("diagnose",),
    "explainers.contract": ("explainer",),
    "explainers.smoothing": ("smoothed",),
    "faithfulness.average_drop": ("average_drop",),
    "faithfulness.average_increase": ("average_increase",),
    "faithfulness.deletion": ("deletion",),
    "faithfulness.infidelity": ("infidelity",),
    "faithfulness.insertion": ("insertion",),
    "faithfulness.max_sensitivity": ("max_sensitivity",),
    "faithfulness.pointing_game": ("pointing_game",),
    "faithfulness.ranking": ("rank_methods",),
    "faithfulness.relevance_mass": ("relevance_mass",),
    "faithfulness.road": ("road",),
    "faithfulness.sanity": ("sanity",),
    "figures.colours": ("colorize",),
    "figures.display": ("heatmap", "limit_of", "overlay", "own_colours", "side_by_side"),
    "figures.figure_grid": ("grid",),
    "figures.units": ("activations_figure", "crops_figure", "filters_figure"),
    "gradient_check": ("check_gradient",),
    "images.files": ("read", "write"),
    "images.levels": ("from_levels", "to_levels"),
    "labels.label_files": ("read_labels",),
    "labels.names": ("Labels", "imagenet"),
    "models.architectures": ("NETWORKS", "build"),
    "models.fold_batchnorm": ("folded",),
    "models.load": ("load",),
    "models.replace_layers": ("adapted",),
    "models.saved": ("Recipe", "is_trained", "load_trained", "read_trained", "save_trained"),
    "network.hooks": ("find_layer",),
    "network.recording": ("recorded",),
    "network.survey": ("default_layer",),
    "notebook": ("load_ipython_extension",),
    "output_scores": ("box", "output", "pixels", "similarity"),
    "predictions": ("predict",),
    "report.make": ("report_page",),
    "scores": ("class_score", "contrast", "group", "log_probability"),
    "single_label": ("one_label",),
    "unit_scores": ("unit",),
    "units.activations": ("activation_maps", "first_filters", "projection"),
    "units.contributions": ("unit_contributions",),
    "units.factors": ("factorize",),
    "units.receptive_field": ("receptive_field",),
    "units.top_activations": ("scan", "strongest_crops"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_FORMER = {  # names that code may still use
    "Data": "Dataset",
    "deep_dream": "dream",
    "style_transfer": "style",
    "from_grid": "from_levels",
    "to_grid": "to_levels",
}
_PACKAGES = {home.partition(".")[0] for home in _HOMES}

__all__ = sorted([*_HOME, *BUILT_IN, "EXPLAINERS"])


def __getattr__(name: str) -> Any:
    name = _FORMER.get(name, name)
    if name in EXPLAINERS:
        return explainer_named(name)
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    if name in _PACKAGES:  # such as interpret.figures
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
