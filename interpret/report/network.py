"""What a report says of the network itself: what it is, and which methods depend on what it has learnt."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, PictureError
from ..faithfulness.sanity import affordable, sanity
from ..network.fingerprint import fingerprint
from ..network.hooks import left_as_found
from .smallest_change import error_line

BUDGET = 500  # passes that a method's check may take
PICTURES = 4


@dataclass(frozen=True)
class Network:
    """What the network is."""

    name: str
    kind: str  # the class of its module
    weights: str  # their hash
    parameters: int
    classes: int
    input: str  # its size, in words
    preprocessing: str

    @classmethod
    def of(cls, classifier: Classifier, name: str, image: Tensor) -> "Network":
        """Read off a classifier, which is shown a picture (1, 3, H, W) to count its classes."""
        with left_as_found(classifier, classifier.mean.device), torch.no_grad():
            classes = classifier(image.to(classifier.mean.device)).shape[1]
        network, size = classifier.network, classifier.input_size
        mean, std = (
            ", ".join(f"{value:.3g}" for value in given.flatten()) for given in (classifier.mean, classifier.std)
        )
        scaled = f"mean {mean} and standard deviation {std} of each channel"
        resize = "as large as the picture" if size is None else f"{size[1]} × {size[0]} pixels"
        if size is not None:
            side = f"shorter side to {classifier.resize}" if classifier.resize else "just covering the input"
            scaled = f"{classifier.interpolation} resize, {side}, centre crop; {scaled}"
        parameters = sum(parameter.numel() for parameter in network.parameters())
        return cls(name, type(network).__name__, fingerprint(network), parameters, classes, resize, scaled)


@dataclass(frozen=True)
class Check:
    """Whether a method's maps change when the network's last block loses its weights."""

    method: str
    passed: bool | None  # None: not checked
    likeness: float = 0.0  # rank correlation with the maps of the network as it is
    floor: float = 0.0  # of the maps of two networks that are random throughout
    pictures: int = 0
    trouble: str = ""  # why it was not checked


def checks(
    classifier: Classifier,
    inputs: Sequence[Tensor],
    targets: Sequence[int],
    methods: Sequence[str],
    *,
    seed: int = 0,
    done: Callable[[], Any] = lambda: None,
) -> Iterator[Check]:
    """The sanity check of each method on up to four pictures, fewer where maps take many passes.

    Args:
        classifier: the network, with its own preprocessing.
        inputs: (1, 3, h, w) each, on its input grid, in [0, 1]; those shaped as the first are looked at.
        targets: the class to explain in each.
        methods: names of the table of explainers.
        seed: of the random weights.
        done: called after each method.

    Yields:
        One check a method.
    """
    chosen = [pair for pair in zip(inputs, targets, strict=True) if pair[0].shape == inputs[0].shape][:PICTURES]
    images, classes = torch.cat([image for image, _ in chosen]), [target for _, target in chosen]
    view = classifier.on_inputs()
    for method in methods:
        try:
            count, _, affords = affordable(view, images, classes, method, depths=1, budget=BUDGET)
            if affords:
                asked = {"depths": 1, "one_by_one": False, "seed": seed}
                found = sanity(view, images[:count], classes[:count], method, **asked)
                floor = float(found.floor.spearman.mean())
                yield Check(method, found.passed, found.after_top, floor, count)
            else:
                yield Check(method, None, trouble="its maps take too many passes to be made again and again")
        except PictureError:
            raise
        except (InterpretError, RuntimeError) as error:
            yield Check(method, None, trouble=error_line(error))
        done()
