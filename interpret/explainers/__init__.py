"""The explainers: one method a file, each listed here once."""

import importlib
from typing import Any

# Method to how it is drawn unless told otherwise, by a name of DRAWINGS. The command line, the figures and the
# tests read this table.
EXPLAINERS = {
    "saliency": "absolute",
    "input_x_gradient": "signed",
    "smoothgrad": "absolute",
    "integrated_gradients": "signed",
    "guided_backprop": "colours",
    "deconvnet": "colours",
    "cam": "map",
    "gradcam": "map",
    "gradcam_plusplus": "map",
    "xgradcam": "map",
    "layercam": "map",
    "hirescam": "map",
    "eigencam": "map",
    "scorecam": "map",
    "ablationcam": "map",
    "guided_gradcam": "colours",
    "occlusion": "map",
    "rise": "map",
    "deeplift": "signed",
    "gradient_shap": "signed",
    "kernel_shap": "map",
    "lrp": "signed",
}


# How the channels are combined and whether by their sizes alone, how much of the map may saturate (the percentile
# that gets the strongest colour), and whether it is laid over the picture.
DRAWINGS = {
    "map": {"aggregate": "sum", "absolute": False, "percentile": 100.0, "view": "overlay"},
    "absolute": {"aggregate": "max", "absolute": True, "percentile": 99.5, "view": "heatmap"},
    "signed": {"aggregate": "sum", "absolute": False, "percentile": 99.5, "view": "heatmap"},
    "colours": {"aggregate": "colours", "absolute": False, "percentile": 99.5, "view": "heatmap"},
}


def explainer_named(name: str) -> Any:
    """The function behind a name of the table."""
    return getattr(importlib.import_module(f".{name}", __name__), name)
