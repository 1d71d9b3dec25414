"""Objectives as people type them: "tabby + 0.5 x espresso", "layer3:17", "layer3:17@4,5", "layer3:way.npy"."""

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, UnknownNameError
from ..network.hooks import find_layer
from ..unit_scores import UNIT
from . import objectives
from .objectives import Objective

DIRECTION = re.compile(r"([^\s:]+):(.+\.npy)")


def objective_of(text: str, classifier: Classifier) -> Objective:
    """The objective that an expression stands for, given the classifier whose classes and layers it names.

    Terms are added with " + " and subtracted with " - ", spaces included, since names may have dashes; a weight stands
    before its term as "0.5 x". A term is a class, LAYER:CHANNEL, LAYER:CHANNEL@ROW,COLUMN, LAYER:FILE.npy with a
    direction in the file, or a layer, which is raised as a whole. A term that cannot be read is an InterpretError, one
    that names nothing an UnknownNameError.
    """
    parts = re.split(r"\s+([+-])\s+", text.strip())
    if not all(part.strip() for part in parts):
        raise InterpretError(f"cannot read {text!r}; say for example 'tabby + 0.5 x espresso' or 'layer3:17'")
    total = _term(parts[0], classifier)
    for sign, term in zip(parts[1::2], parts[2::2], strict=True):
        total = total + _term(term, classifier) if sign == "+" else total - _term(term, classifier)
    return total


def _term(text: str, classifier: Classifier) -> Objective:
    weighted = re.fullmatch(r"(-?\d*\.?\d+)\s*[x*]\s+(.+)", text.strip())
    if weighted:
        return float(weighted[1]) * _unweighted(weighted[2], classifier)
    return _unweighted(text.strip(), classifier)


def _unweighted(text: str, classifier: Classifier) -> Objective:
    unit, direction = UNIT.fullmatch(text), DIRECTION.fullmatch(text)
    if unit:
        layer, number = unit[1], int(unit[2])
        find_layer(classifier.network, layer)
        if unit[3] is None:
            return objectives.channel(layer, number)
        return objectives.neuron(layer, number, int(unit[3]), int(unit[4]))
    if direction:
        find_layer(classifier.network, direction[1])
        return objectives.direction(direction[1], _vector(Path(direction[2])))
    try:
        return objectives.logit(_class(text, classifier))
    except UnknownNameError as unknown:
        try:
            _refuse_several(text, classifier)
            find_layer(classifier.network, text)
        except UnknownNameError as error:
            raise UnknownNameError(f"{unknown}; {error}") from error
        return objectives.energy(text)


def _refuse_several(text: str, classifier: Classifier) -> None:
    """A layer with anything but one channel behind it is no class that was mistyped."""
    layer, colon, channel = text.rpartition(":")
    if colon and layer in dict(classifier.network.named_modules()):
        raise InterpretError(f"{layer}:{channel} names no channel; one is {layer}:17, and several are a sum of them")


def _class(text: str, classifier: Classifier) -> int:
    match = classifier.labels.find(text)
    if len(match.indices) > 1:
        raise InterpretError(
            f"{text!r} is {len(match.indices)} classes; draw one of them: `interp classes {text}` lists them"
        )
    return match.indices[0]


def _vector(file: Path) -> Tensor:
    """The direction (K,) that a file holds."""
    if not file.is_file():
        raise InterpretError(f"there is no file {file}; a direction is a .npy file of one number a channel")
    try:
        values = np.load(file, allow_pickle=False)
        vector = torch.from_numpy(values.astype(np.float32))
    except Exception as error:  # what a foreign or damaged file raises depends on what it is
        raise InterpretError(f"{file} holds no numbers as numpy.save writes them") from error
    if vector.dim() != 1 or not torch.isfinite(vector).all() or not vector.any():
        raise InterpretError(f"{file}: a direction is (K,) finite numbers, not all 0; this is of shape {values.shape}")
    return vector


def unit_of(text: str) -> tuple[str, int] | None:
    """The layer and channel of an expression that is a channel or a neuron, else None."""
    unit = UNIT.fullmatch(text.strip())
    return (unit[1], int(unit[2])) if unit else None


def class_of(text: str, classifier: Classifier) -> int | None:
    """The class that an expression names, or None where it is anything but one class."""
    try:
        return _class(text.strip(), classifier)
    except InterpretError:
        return None
