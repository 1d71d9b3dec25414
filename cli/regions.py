"""Where the objects are, as files say it: a JSON file of boxes, or a folder of masks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, PictureError

from .inputs import SUFFIXES, Source

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier

Regions = Callable[[Source, "Classifier"], "Tensor | None"]


def regions_in(given: str) -> Regions:
    """What gives each picture's region on the network's input grid, or None where nothing is known.

    Args:
        given: a JSON file that has for each picture's file name a box [left, top, right, bottom], a list
            of boxes, or an object with a "box"; or a folder of masks called as the pictures, light
            where the object is.

    Raises:
        InterpretError: neither of them.
    """
    path = Path(given)
    if path.is_dir():
        return lambda source, classifier: _of_mask(path, source, classifier)
    try:
        boxes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InterpretError(f"{given} is no folder of masks and no JSON file of boxes") from error
    if not isinstance(boxes, dict):
        raise InterpretError(f"{given} needs an object that has a box for each file's name")
    return lambda source, classifier: _of_boxes(boxes, source, classifier)


def _of_boxes(boxes: dict[str, Any], source: Source, classifier: "Classifier") -> "Tensor | None":
    from interpret.datasets.boxes import on_input, region_of_boxes

    found = boxes.get(source.inside.as_posix(), boxes.get(source.inside.name))
    found = found.get("box") if isinstance(found, dict) else found
    if not found:
        return None
    image = source.read()
    several = found if isinstance(found[0], list) else [found]
    region = region_of_boxes(several, *image.shape[2:])
    return on_input(region, classifier.prepare(image)[1]).to(classifier.mean.device)


def _of_mask(folder: Path, source: Source, classifier: "Classifier") -> "Tensor | None":
    from interpret.datasets.boxes import on_input
    from interpret.images.files import read

    places = [folder / source.inside.with_suffix(suffix) for suffix in SUFFIXES]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None
    image, mask = source.read(), read(path)
    if mask.shape[2:] != image.shape[2:]:
        raise PictureError(f"{path} is not of its picture's size")
    return on_input(mask[0].mean(0) > 0.5, classifier.prepare(image)[1]).to(classifier.mean.device)
