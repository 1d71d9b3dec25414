"""What a report tells of the network itself: its facts, and which methods depend on what it has learnt."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, PictureError, error_line
from ..faithfulness.sanity import passes_of, sanity
from ..figures.cache import MapStore
from ..images.files import pixels_hash
from ..network.fingerprint import fingerprint
from ..network.hooks import left_as_found

BUDGET = 300  # passes that a method's check may take
ENOUGH = 60  # passes, within which it looks at more than one picture
MAPS = 5  # of each picture in a check: one to count the passes, the intact network's, without its top, and two floors
# Of a method whose maps take many: whether they depend on the weights shows in rough ones as well.
FEWER = {"integrated_gradients": {"steps": 10}}
PICTURES = 4  # that methods are checked on, at most


@dataclass(frozen=True)
class Network:
    """The facts of a network."""

    name: str
    kind: str  # the class of its module
    weights: str  # their hash
    parameters: int
    classes: int
    input: str  # its size, in words
    preprocessing: str

    @classmethod
    def of(cls, classifier: Classifier, name: str, image: Tensor) -> "Network":
        """Describe a classifier; a pass over a picture (1, 3, H, W) counts its classes."""
        with left_as_found(classifier, classifier.mean.device), torch.no_grad():
            classes = classifier(image.to(classifier.mean.device)).shape[1]
        network = classifier.network
        parameters = sum(parameter.numel() for parameter in network.parameters())
        about = name, type(network).__name__, fingerprint(network), parameters, classes
        return cls(*about, *_preprocessing(classifier))


def _preprocessing(classifier: Classifier) -> tuple[str, str]:
    """The size of the input and the preprocessing of a picture, in words."""
    mean, std = (", ".join(f"{value:.3g}" for value in given.flatten()) for given in (classifier.mean, classifier.std))
    scaling = f"mean {mean} and standard deviation {std} of each channel"
    if classifier.input_size is None:
        return "as large as the picture", scaling
    height, width = classifier.input_size
    side = f"shorter side to {classifier.resize}" if classifier.resize else "just covering the input"
    fitted = {
        "centre": f"{side}, centre crop",
        "none": "all of the picture to the shape of the input",
        "tiles": f"{side}, in overlapping tiles of the input's size, of which each is seen and explained by itself",
    }
    return f"{width} × {height} pixels", f"{classifier.interpolation} resize, {fitted[classifier.crop]}; {scaling}"


@dataclass(frozen=True)
class SanityCheck:
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
    store: MapStore | None = None,
    begin: Callable[[str], Any] = lambda method: None,
    done: Callable[[], Any] = lambda: None,
) -> Iterator[SanityCheck]:
    """The sanity check of each method on inputs (1, 3, h, w) of one shape and the target class of each.

    Methods whose maps take many passes are checked on fewer inputs; ``begin`` is called with each method, and ``done``
    after it. What a store holds of the same network and inputs is not checked again.
    """
    store = store or MapStore(None)
    from .. import __version__

    images, view = torch.cat(list(inputs)), classifier.on_inputs()
    for method in methods:
        begin(method.replace("_", "-"))
        check = functools.partial(_checked, view, images, targets, method, seed)
        try:
            # What is kept is numbers; a method that cannot be checked says why anew.
            key = {
                "sanity check": method,
                "targets": list(targets),
                "seed": seed,
                "budget": [BUDGET, ENOUGH],
                "options": FEWER.get(method, {}),
                "torch": torch.__version__,
            }
            key |= {"pictures": pixels_hash(images), "network": classifier.identity(), "version": __version__}
            passed, likeness, floor, count = store.get(key, check).tolist()
            yield SanityCheck(method, bool(passed), likeness, floor, int(count))
        except PictureError:
            raise
        except (InterpretError, RuntimeError) as error:
            yield SanityCheck(method, None, trouble=error_line(error))
        done()


def _checked(view: Classifier, images: Tensor, targets: Sequence[int], method: str, seed: int) -> Tensor:
    """Whether a method passed, the likeness, its floor, and on how many pictures."""
    fewer = FEWER.get(method, {})
    passes = MAPS * passes_of(view, images, targets, method, **fewer)
    if passes > BUDGET:
        raise InterpretError("its maps take too many passes to be made again and again")
    count = max(1, min(ENOUGH // passes, len(images)))
    found = sanity(view, images[:count], targets[:count], method, depths=1, one_by_one=False, seed=seed, **fewer)
    numbers = found.passed, found.after_top, float(found.floor.spearman.mean()), count
    return torch.tensor(numbers, dtype=torch.float64)
