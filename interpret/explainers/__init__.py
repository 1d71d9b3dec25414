"""The explainers: one method a file, each listed here once."""

import importlib
from typing import Any

# Method to the display of its maps, unless another is asked for. The command line, the figures and the tests read
# this table.
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

# A display says whether the map is laid over the picture, which percentile of the absolute values gets the strongest
# colour, how the channels become one value a pixel, and whether they keep their signs in that.
DISPLAYS = {
    "map": {"view": "overlay", "percentile": 100.0, "aggregate": "sum", "signed": True},
    "absolute": {"view": "heatmap", "percentile": 99.5, "aggregate": "max", "signed": False},
    "signed": {"view": "heatmap", "percentile": 99.5, "aggregate": "sum", "signed": True},
    "colours": {"view": "heatmap", "percentile": 99.5, "aggregate": "colours", "signed": True},
}


def explainer_named(name: str) -> Any:
    """The function behind a name of the table."""
    return getattr(importlib.import_module(f".{name}", __name__), name)


def title_of(name: str) -> str:
    """A method's name as people write it: the beginning of the first line of its file."""
    text = importlib.import_module(f".{name}", __name__).__doc__ or name
    return text.split(" (")[0].split(",")[0]
