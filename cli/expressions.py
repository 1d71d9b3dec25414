"""What to draw, as typed: "tabby + 0.5 x espresso", "layer3:17", "layer3:17@4,5", "layer3"."""

import re
from typing import TYPE_CHECKING

from interpret.errors import InterpretError, UnknownNameError

if TYPE_CHECKING:
    from interpret.classifier import Classifier
    from interpret.drawing.objectives import Objective


def objective_of(text: str, classifier: "Classifier") -> "Objective":
    """The objective that an expression means.

    Terms are added with " + " and taken away with " - ", spaces included, since names may have dashes;
    a weight stands before its term as "0.5 x". A term is a class, LAYER:CHANNEL,
    LAYER:CHANNEL@ROW,COLUMN, or a layer, of which everything is raised.

    Args:
        text: the expression.
        classifier: whose classes and layers are named.

    Returns:
        The objective.

    Raises:
        InterpretError: a term that cannot be read; UnknownNameError, one that names nothing.
    """
    parts = re.split(r"\s+([+-])\s+", text.strip())
    if not all(part.strip() for part in parts):
        raise InterpretError(f"cannot read {text!r}; say for example 'tabby + 0.5 x espresso' or 'layer3:17'")
    total = _term(parts[0], classifier)
    for sign, term in zip(parts[1::2], parts[2::2], strict=True):
        total = total + _term(term, classifier) if sign == "+" else total - _term(term, classifier)
    return total


def _term(text: str, classifier: "Classifier") -> "Objective":
    weighted = re.fullmatch(r"(-?\d*\.?\d+)\s*[x*]\s+(.+)", text.strip())
    if weighted:
        return float(weighted[1]) * _unweighted(weighted[2], classifier)
    return _unweighted(text.strip(), classifier)


def _unweighted(text: str, classifier: "Classifier") -> "Objective":
    from interpret.drawing import objectives
    from interpret.hooks import find_layer

    unit = re.fullmatch(r"(.+):(\d+)(?:@(\d+),(\d+))?", text)
    if unit:
        layer, number = unit[1], int(unit[2])
        find_layer(classifier.network, layer)
        if unit[3] is None:
            return objectives.channel(layer, number)
        return objectives.neuron(layer, number, int(unit[3]), int(unit[4]))
    try:
        match = classifier.labels.find(text)
    except UnknownNameError as unknown:
        try:
            find_layer(classifier.network, text)
        except UnknownNameError as error:
            raise UnknownNameError(f"{unknown}; {error}") from error
        return objectives.energy(text)
    if len(match.indices) > 1:
        raise InterpretError(
            f"{text!r} is {len(match.indices)} classes; draw one of them: `interp classes {text}` lists them"
        )
    return objectives.logit(match.indices[0])
