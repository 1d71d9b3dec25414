"""The crops of a data set that excite a unit most, to stand beside the picture drawn for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

from ...job.sources import Source, find_pictures
from ...options.messages import Messages
from ..top_activations import data_set, index_file, scanned

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.units.top_activations import Crop

MOST = 9
BUNDLED = "samples"  # stands for the bundled photos


@dataclass(frozen=True)
class Examples:
    """The strongest crops of a data set for one unit."""

    layer: str
    channel: int
    crops: list["Crop"]
    pictures: int  # in the data set

    @property
    def strongest(self) -> float:
        """The activation of the best crop; 0 where none is above."""
        return self.crops[0].value if self.crops else 0.0

    def about(self, reached: float) -> dict[str, Any]:
        """What there is to know beside the picture, whose own activation is given."""
        found = {"layer": self.layer, "channel": self.channel, "activation": reached, "pictures": self.pictures}
        times = reached / self.strongest if self.strongest > 0 else None
        crops = [{"path": str(crop.path), "value": crop.value, "box": list(crop.box)} for crop in self.crops]
        return {**found, "strongest": self.strongest, "times": times, "crops": crops}

    def sentence(self, reached: float) -> str:
        """How far the picture's activation exceeds theirs."""
        if not self.crops:
            return f"reaches {reached:.3g}; none of {self.pictures} pictures is above 0"
        times, best = reached / self.strongest, f"{self.strongest:.3g}"
        return f"reaches {reached:.3g}, {times:.2g} times the strongest of {self.pictures} pictures ({best})"


def strongest_activation(classifier: "Classifier", images: "Tensor", examples: Examples) -> float:
    """The unit's strongest activation in pictures (N, C, H, W), measured as in the data set."""
    from interpret.units.activations import activation_maps

    return float(activation_maps(classifier, images, examples.layer)[:, examples.channel].max())


def examples_of(what: tuple[str, ...], data: str, classifier: "Classifier", messages: Messages) -> dict[str, Examples]:
    """The strongest crops of a data set for each expression, from the index files of `top-activations`.

    A neuron stands for its channel, and a class for its logit; other expressions are an InterpretError.
    """
    units = {text: _unit(text, classifier) for text in what}
    words = data_set(() if data == BUNDLED else (data,))
    sources = find_pictures(words, recursive=False)
    found = {}
    for layer in dict.fromkeys(layer for layer, _ in units.values()):
        texts = [text for text, unit in units.items() if unit[0] == layer]
        file = index_file(classifier, layer, words)
        crops = _strongest(classifier, sources, layer, [units[text][1] for text in texts], file=file, messages=messages)
        found |= dict(zip(texts, crops, strict=True))
    return found


def _strongest(
    classifier: "Classifier",
    sources: list[Source],
    layer: str,
    channels: list[int],
    *,
    file: Path,
    messages: Messages,
) -> list[Examples]:
    from interpret.units.top_activations import strongest_crops

    _, known = scanned(classifier, sources, layer, channels, file=file, most=MOST, messages=messages)
    found = [strongest_crops(classifier, known, channel, most=MOST) for channel in channels]
    known.save(file)  # with what the units see
    return [Examples(layer, channel, crops, len(known.files)) for channel, crops in zip(channels, found, strict=True)]


def _unit(text: str, classifier: "Classifier") -> tuple[str, int]:
    from interpret.drawing.expressions import class_of, unit_of

    unit, index = unit_of(text), class_of(text, classifier)
    if unit is None and index is None:
        raise InterpretError(f"--beside is for LAYER:CHANNEL or one class; {text!r} is no unit of one layer")
    return unit or (_last_layer(classifier), index)


def _last_layer(classifier: "Classifier") -> str:
    """The layer that gives the logits, whose units are the classes."""
    import torch

    from interpret.drawing.feature_visualization import default_image
    from interpret.network.layers import layers

    grey, view = default_image(classifier)().detach(), classifier.on_inputs()
    with torch.no_grad():
        classes = view(grey).shape[1]
    last = layers(classifier.network, lambda: view(grey))[-1]
    if last.shape[1:] not in ((classes,), (classes, 1, 1)):
        raise InterpretError(f"no layer of this network gives its classes; the last, {last.name!r}, gives {last.shape}")
    return last.name
