"""What a report says of the network: its name, size and preprocessing, and the sanity checks of the methods."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, PictureError, error_line
from ..faithfulness.sanity import affordable, sanity
from ..network.fingerprint import fingerprint
from ..network.hooks import left_as_found

BUDGET = 500  # passes that a method's check may take
PICTURES = 4  # that methods are checked on, at most


@dataclass(frozen=True)
class Network:
    """The facts about a network."""

    name: str
    kind: str  # the class of its module
    weights: str  # their hash
    parameters: int
    classes: int
    input: str  # its size, in words
    preprocessing: str

    @classmethod
    def of(cls, classifier: Classifier, name: str, image: Tensor) -> "Network":
        """The facts about a classifier, whose classes are counted on an image (1, 3, H, W)."""
        with left_as_found(classifier, classifier.mean.device), torch.no_grad():
            classes = classifier(image.to(classifier.mean.device)).shape[1]
        network = classifier.network
        parameters = sum(parameter.numel() for parameter in network.parameters())
        about = name, type(network).__name__, fingerprint(network), parameters, classes
        return cls(*about, *_preprocessing(classifier))


def _preprocessing(classifier: Classifier) -> tuple[str, str]:
    """The size of the input, and what is done to a picture to make it the input, in words."""
    mean, std = (", ".join(f"{value:.3g}" for value in given.flatten()) for given in (classifier.mean, classifier.std))
    scaling = f"mean {mean} and standard deviation {std} of each channel"
    if classifier.input_size is None:
        return "as large as the picture", scaling
    height, width = classifier.input_size
    side = f"shorter side to {classifier.resize}" if classifier.resize else "just covering the input"
    return f"{width} × {height} pixels", f"{classifier.interpolation} resize, {side}, centre crop; {scaling}"


@dataclass(frozen=True)
class SanityCheck:
    """Whether a method's maps change when the network's last block loses its weights."""

    method: str
    passed: bool | None  # None where it was not checked
    likeness: float = 0.0  # rank correlation with the maps of the intact network
    floor: float = 0.0  # the same between two networks that are random throughout
    pictures: int = 0
    reason: str = ""  # why it was not checked


def checks(
    classifier: Classifier,
    inputs: Sequence[Tensor],
    targets: Sequence[int],
    methods: Sequence[str],
    *,
    seed: int = 0,
    done: Callable[[], Any] = lambda: None,
) -> Iterator[SanityCheck]:
    """The sanity check of each method, on fewer pictures where its maps take many passes.

    The inputs are (1, 3, h, w) each, on the classifier's input grid, in [0, 1] and of one shape; the targets are the
    classes to explain in them. ``done`` is called after each method.
    """
    images, view = torch.cat(list(inputs)), classifier.on_inputs()
    for method in methods:
        try:
            count, _, affords = affordable(view, images, targets, method, depths=1, budget=BUDGET)
            if affords:
                found = sanity(view, images[:count], targets[:count], method, depths=1, one_by_one=False, seed=seed)
                floor = float(found.floor.spearman.mean())
                yield SanityCheck(method, found.passed, found.after_top, floor, count)
            else:
                yield SanityCheck(method, None, reason="its maps take too many passes to be made again and again")
        except PictureError:
            raise
        except (InterpretError, RuntimeError) as error:
            yield SanityCheck(method, None, reason=error_line(error))
        done()
