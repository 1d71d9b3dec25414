"""The explainers: one method a file, each listed here once."""

import functools
import importlib
import inspect
from typing import Any

from ..plug_ins import chosen, plug_ins

# Method to the display of its maps, unless another is asked for. The command line, the figures and the tests read
# this table.
EXPLAINERS: dict[str, str] = {
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
    "gradcam_elementwise": "map",
    "eigengradcam": "map",
    "kpcacam": "map",
    "fem": "map",
    "shapleycam": "map",
    "finercam": "map",
    "fullgrad": "map",
    "guided_gradcam": "colours",
    "occlusion": "map",
    "rise": "map",
    "deeplift": "signed",
    "gradient_shap": "signed",
    "kernel_shap": "map",
    "lrp": "signed",
    "attention_rollout": "map",
    "transformer_attribution": "map",
    "legrad": "map",
}
# The first method of each family, which goes on to the next of them, and what the family goes by.
FAMILIES = {
    "saliency": "pixels, by the gradient",
    "cam": "regions, by the features of a layer",
    "fullgrad": "pixels and layers together",
    "occlusion": "by hiding parts of the picture",
    "deeplift": "shares of the score",
    "attention_rollout": "patches, by the attention of a transformer",
}
BUILT_IN = tuple(EXPLAINERS)  # without those of other packages, whose modules may say their DISPLAY
PLUGGED_IN, REFUSED = chosen("interp.explainers", "DISPLAY", EXPLAINERS, "map")
EXPLAINERS |= PLUGGED_IN
# Those that follow the attention of tokens to each other, which networks without it refuse.
OF_ATTENTION = ("attention_rollout", "transformer_attribution", "legrad")

# A display says whether the map is laid over the picture, alone and beside it, which percentile of the absolute values
# gets the strongest colour, how the channels become one value a pixel, whether they keep their signs in that, and how
# far what is drawn is blurred, as a share of the shorter side: single bright pixels among dark ones are not seen.
_PIXELS = {"view": "heatmap", "beside": "heatmap", "blur": 0.0}
DISPLAYS = {
    "map": {"view": "overlay", "beside": "overlay", "percentile": 100.0, "aggregate": "sum", "signed": True}
    | {"blur": 0.0},
    "absolute": _PIXELS | {"percentile": 99.5, "aggregate": "max", "signed": False},
    "signed": _PIXELS | {"percentile": 99.0, "aggregate": "sum", "signed": True, "blur": 0.005},
    "colours": _PIXELS | {"percentile": 99.5, "aggregate": "colours", "signed": True},
}

# What the numbers of a map are, where they are not what is explained itself, such as "logit of koala".
_SLOPE = "{} per unit of pixel value"
UNITS = {
    "saliency": _SLOPE,
    "smoothgrad": _SLOPE,
    "guided_backprop": _SLOPE,
    "deconvnet": _SLOPE,
    "gradcam_plusplus": "no unit",
    "guided_gradcam": "no unit",
    "eigencam": "activation",
    "scorecam": "activation",
    "ablationcam": "activation",
    "kpcacam": "no unit",
    "fem": "activation",
    "fullgrad": "no unit",
    "attention_rollout": "share of attention",
    "transformer_attribution": "no unit",
    "legrad": "{} per unit of attention",
}


def explainer_named(name: str) -> Any:
    """The function behind a name of the table; that of another package becomes an explainer if it is none yet."""
    if name in PLUGGED_IN:
        function = plug_ins("interp.explainers")[name].load()
        return function if hasattr(function, "lay_back") else _explaining(function)
    return getattr(importlib.import_module(f".{name}", __name__), name)


@functools.cache
def _explaining(function: Any) -> Any:
    from ..geometry import Geometry
    from .contract import explainer

    return explainer(Geometry.undo)(function)


def title_of(name: str) -> str:
    """A method's name as people write it: the beginning of the first line of its file."""
    text = inspect.getmodule(explainer_named(name)).__doc__ or name
    return text.split(" (")[0].split(",")[0]


def unit_of(name: str, explained: str, *, average: str = "plain") -> str:
    """The unit of a method's maps of what is explained, such as "logit of koala"; the average is smoothgrad's."""
    unit = UNITS.get(name, "{}").format(explained)
    return unit if average == "plain" else f"square of {unit}"
