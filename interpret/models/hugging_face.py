"""Networks of the Hugging Face hub, or in a local folder of its layout, through transformers."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ..classifier import Classifier
from ..errors import NetworkError, error_line

PREFIX = "hf:"
INTERPOLATIONS = {0: "nearest", 2: "bilinear", 3: "bicubic"}  # by Pillow's numbers


def is_hugging_face(name: str) -> bool:
    """Whether a name is one of the hub, "hf:OWNER/NAME", or that of a folder with a config.json in it."""
    return name.startswith(PREFIX) or Path(name, "config.json").is_file()


class _Logits(nn.Module):
    """A model of transformers as a network from pictures to logits; its layers keep their names under "model"."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images).logits


def hugging_face(name: str, options: Mapping[str, Any], *, fresh: bool = False) -> Classifier:
    """The classifier of a hub's name or of a folder: network, preprocessing and labels.

    Args:
        name: "hf:OWNER/NAME", which is downloaded or taken from the hub's cache, or a folder with config.json, the
            weights as safetensors and, if there is one, preprocessor_config.json.
        options: mean, std and input_size, where they differ from those of the preprocessor.
        fresh: whether to draw the weights and not to read them.

    Returns:
        The classifier. Where the preprocessor squeezes a picture into a square, the middle square is cut out instead,
        so that nothing is distorted.

    Raises:
        NetworkError: transformers is missing, nothing by that name is available, or it is no image classifier.
    """
    try:
        from transformers import AutoConfig, AutoModelForImageClassification
        from transformers.utils import logging
    except ImportError as error:
        raise NetworkError("Hugging Face networks need the package transformers: pip install 'interp[hf]'") from error
    source = name.removeprefix(PREFIX)
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        if fresh:
            model = AutoModelForImageClassification.from_config(AutoConfig.from_pretrained(source))
        else:
            model = AutoModelForImageClassification.from_pretrained(source)
        settings = _preprocessor(source)
    except Exception as error:  # the hub's client and transformers raise many kinds, which differ by version
        raise NetworkError(
            f"cannot load {name} as an image classifier: {error_line(error)}; fetch its config.json, "
            "preprocessor_config.json and model.safetensors into a folder, and name the folder"
        ) from error
    finally:
        logging.set_verbosity(verbosity)
    names = model.config.id2label or {}
    labels = [str(names[index]) for index in range(len(names))] if set(names) == set(range(len(names))) else None
    return Classifier(_Logits(model), labels=labels, **{**_as_ours(settings, model), **options})


def _preprocessor(source: str) -> dict[str, Any]:
    """What preprocessor_config.json says, or nothing if there is none."""
    file = Path(source, "preprocessor_config.json")
    if not os.path.isdir(source):
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError

        try:
            file = Path(hf_hub_download(source, "preprocessor_config.json"))
        except EntryNotFoundError:
            return {}
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _as_ours(settings: Mapping[str, Any], model: nn.Module) -> dict[str, Any]:
    """The settings of a preprocessor as those of a Classifier."""
    normalised = settings.get("do_normalize", bool(settings))
    mean, std = (
        settings.get(f"image_{what}", 0.5) if normalised else value for what, value in (("mean", 0), ("std", 1))
    )
    channels = getattr(model.config, "num_channels", 3)
    mean, std = ([value] * channels if isinstance(value, int | float) else value for value in (mean, std))
    # The values that are normalised are those of bytes times this factor.
    scale = 255 * settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 255
    offset = 1.0 if settings.get("rescale_offset") else 0.0
    made: dict[str, Any] = {
        "mean": [(value + offset) / scale for value in mean],
        "std": [value / scale for value in std],
        "interpolation": INTERPOLATIONS.get(settings.get("resample", 2), "bilinear"),
    }
    size, crop = _sides(settings.get("size")), _sides(settings.get("crop_size"))
    if settings.get("do_center_crop") and crop:
        made["input_size"] = crop
        if settings.get("do_resize", True) and size and min(size) >= max(crop):
            made["resize"] = min(size)
    elif size and settings.get("do_resize", True):
        made["input_size"] = size
    elif isinstance(getattr(model.config, "image_size", None), int):
        made["input_size"] = (model.config.image_size,) * 2
    return made


def _sides(size: object) -> tuple[int, int] | None:
    """Height and width of any of the forms in which a preprocessor writes them."""
    if isinstance(size, int):
        return size, size
    if not isinstance(size, Mapping):
        return None
    if "shortest_edge" in size:
        return size["shortest_edge"], size["shortest_edge"]
    return (size["height"], size["width"]) if {"height", "width"} <= size.keys() else None
