"""The explainers: one method a file, each listed here once."""

import importlib
from typing import Any

# Method to how it is drawn unless told otherwise: "map", one value a pixel as it is; "absolute", the largest
# absolute value over the channels; "signed", their sum; "colours", its own colours around grey. The command
# line, the figures and the tests read this table.
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


def explainer_named(name: str) -> Any:
    """The function behind a name of the table."""
    return getattr(importlib.import_module(f".{name}", __name__), name)
