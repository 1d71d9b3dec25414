"""What the page is told when it opens: the network, its classes and layers, the pictures, and what it can choose."""

from collections.abc import Iterator, Mapping
from typing import Any

from attacks import ATTACKS
from interpret import __version__
from interpret.explainers import EXPLAINERS, OF_ATTENTION

from ...options.signature import attack_method, explainer_method
from .studio import Studio
from .worker import Event, Ticket

# The sizes of a change in levels of an 8-bit file; below 1 no file holds the change, and it is judged as numbers.
LEVELS = (0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
# Attacks of one step or a few, whose eps a slider can run through.
STEPPED = ("fgsm", "bim", "pgd", "mifgsm", "apgd")


def about(studio: Studio) -> dict[str, Any]:
    """All that does not depend on a picture."""
    classifier = studio.classifier
    return {
        "version": __version__,
        "model": studio.model.model,
        "labels": list(classifier.labels or []),
        "task": classifier.task,
        "input": list(classifier.input_size) if classifier.input_size else None,
        "pictures": [{"id": picture.id, "name": picture.shown} for picture in studio.gallery.named()],
        "styles": [{"id": picture.id, "name": picture.shown} for picture in studio.gallery.styles()],
        "methods": [_method(name) for name in EXPLAINERS],
        "attacks": [{"name": name, "title": attack_method(name).title} for name in STEPPED if name in ATTACKS],
        "levels": LEVELS,
    }


def _method(name: str) -> dict[str, Any]:
    method = explainer_method(name)
    return {
        "name": name,
        "command": method.command,
        "title": method.title.split(" (")[0].split(",")[0],
        "summary": method.summary,
        "layer": method.option("layer") is not None,
        "tokens": name in OF_ATTENTION,
    }


def layers_with_maps(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """The layers that give maps of more than one place, in the order in which they run."""
    yield "layers", studio.made.get("layers", lambda: _layers(studio), lambda rows: 200 * len(rows))


def _layers(studio: Studio) -> list[dict[str, Any]]:
    import torch

    from interpret.errors import NetworkError
    from interpret.layer_outputs import runner
    from interpret.network.survey import default_layer, survey

    classifier = studio.classifier
    height, width = classifier.input_size or (224, 224)
    image = torch.rand(1, len(classifier.mean), height, width, generator=torch.Generator().manual_seed(0))
    image, run = image.to(classifier.mean.device), runner(classifier.on_inputs())
    try:
        default = default_layer(classifier.network, image, run)
    except NetworkError:
        default = ""
    return [
        {
            "name": layer.name,
            "rows": layer.places[0],
            "columns": layer.places[1],
            "channels": layer.channels,
            "default": layer.name == default,
        }
        for layer in survey(classifier.network, image, run).layers
        if layer.places[0] * layer.places[1] > 1
    ]
