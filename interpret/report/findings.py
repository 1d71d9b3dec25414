"""What a report says of one picture: predictions, maps and their areas, and the smallest change that was found."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, PictureError
from ..explainers import explainer_named
from ..explainers.aggregation import importance
from ..explainers.diagnosis import diagnose
from ..explainers.sharing import shared_passes
from ..faithfulness.baseline_maps import centred_gaussian, random_map
from ..faithfulness.deletion import deletion
from ..faithfulness.insertion import insertion
from ..network.hooks import left_as_found
from .pictures import Drawn, drawn_map, photo_of, seen_part
from .smallest_change import Attack, Change, change_of, error_line

TOP = 5
STEPS = 25  # of the curves whose areas are given; with fewer, what hides the class at once ends level
BASELINE = "blur"  # black loses the class at the first step of some networks, whatever the map


@dataclass(frozen=True)
class Seen:
    """A class, and the probability that the network gives it."""

    index: int
    name: str
    probability: float


@dataclass(frozen=True)
class Areas:
    """How fast the class is lost, the less the better, and how fast it is found, the more the better."""

    deletion: float
    insertion: float


@dataclass(frozen=True)
class Map:
    """What one method makes of one class."""

    method: str
    trouble: str = ""  # why the map is blank, or why there is none
    areas: Areas | None = None
    drawn: Drawn | None = None  # None where there is no map


@dataclass(frozen=True)
class Explained:
    """The maps for one class, and what maps that know nothing of the network reach."""

    seen: Seen
    maps: list[Map]
    random: Areas
    centre: Areas

    def beats(self, found: Map) -> tuple[bool, bool]:
        """Whether a map's deletion, and its insertion, is better than both floors'."""
        floors = self.random, self.centre
        lost = all(found.areas.deletion < floor.deletion for floor in floors)
        return lost, all(found.areas.insertion > floor.insertion for floor in floors)


@dataclass(frozen=True)
class Finding:
    """All that is shown of one picture."""

    name: str
    size: tuple[int, int]  # width and height of the file
    box: tuple[float, float, float, float]  # what the network sees: left, top, width, height as shares of it
    top: list[Seen]
    explained: list[Explained]
    change: Change | None
    photo: bytes  # WebP, all of the picture
    part: bytes  # WebP, what the network sees of it
    shape: tuple[int, int]  # width and height of that in pixels


@dataclass(frozen=True)
class Wanted:
    """What is looked for in each picture.

    Args:
        methods: names of the table of explainers.
        classes: names, groups or indices; the top prediction where there are none.
        attack: what looks for a small change; None looks for none.
        seed: of everything random.
    """

    methods: Sequence[str]
    classes: Sequence[str | int] = ()
    attack: Attack | None = None
    seed: int = 0
    done: Callable[[], Any] = field(default=lambda: None)  # called after each map, floor and attack

    def pieces(self) -> int:
        """How often ``done`` is called for a picture."""
        return max(1, len(self.classes)) * (len(self.methods) + 2) + (self.attack is not None)


def found_in(name: str, image: Tensor, classifier: Classifier, wanted: Wanted) -> Finding:
    """Look at one picture.

    Args:
        name: of the picture.
        image: (1, 3, H, W), in [0, 1].
        classifier: the network to explain.
        wanted: what to look for.

    Returns:
        What was found. A method that cannot explain this network, or fails on it, says so in its map's place.

    Raises:
        UnknownNameError: a class that the network lacks.
        PictureError: a picture that cannot be used.
        NetworkError, RuntimeError: the network itself fails on the picture.
    """
    image = image.detach().to(classifier.mean.device)
    inputs, geometry = classifier.prepare(image)
    inputs = inputs.clamp(0, 1)  # bicubic resizing overshoots; a picture does not
    view, part = classifier.on_inputs(), seen_part(image, geometry)
    with left_as_found(classifier, image.device), torch.no_grad():
        shares = classifier(image)[0].softmax(0).cpu()
    top = [_seen(classifier, shares, index) for index in shares.topk(min(TOP, len(shares))).indices.tolist()]
    indices = [int(classifier.find(query, image)) for query in wanted.classes] or [top[0].index]
    explained = []
    for index in dict.fromkeys(indices):
        with shared_passes():
            maps = list(_maps(view, inputs, index, part, wanted))
        noise, hill = random_map(inputs, wanted.seed), centred_gaussian(inputs)
        floors = [_areas(view, inputs, index, floor, wanted) for floor in (noise, hill)]
        explained.append(Explained(_seen(classifier, shares, index), maps, *floors))
    change = None
    if wanted.attack is not None:
        change = change_of(classifier, image, wanted.attack)
        wanted.done()
    left, upper, right, lower = geometry.box
    height, width = geometry.picture
    box = left / width, upper / height, (right - left) / width, (lower - upper) / height
    photo = photo_of(image)
    return Finding(name, (width, height), box, top, explained, change, photo, part.webp(), part.size)


def _seen(classifier: Classifier, shares: Tensor, index: int) -> Seen:
    return Seen(index, classifier.name(index), float(shares[index]))


def _maps(view: Classifier, inputs: Tensor, index: int, part: Any, wanted: Wanted) -> Iterator[Map]:
    for method in wanted.methods:
        try:
            found = _map(view, inputs, index, part, method, wanted)
        except PictureError:
            raise
        except (InterpretError, RuntimeError) as error:  # the method and the network do not go together
            found = Map(method, f"not drawn: {error_line(error)}")
        yield found
        wanted.done()


def _map(view: Classifier, inputs: Tensor, index: int, part: Any, method: str, wanted: Wanted) -> Map:
    explain = explainer_named(method)
    options = {"seed": wanted.seed} if "seed" in inspect.signature(explain).parameters else {}
    attribution = explain(view, inputs, index, **options)
    (found,) = diagnose(attribution)
    trouble = "" if found.kind == "fine" else found.sentence
    areas = None
    if found.kind != "not finite":
        areas = _areas(view, inputs, index, importance(attribution, method), wanted, called=False)
    return Map(method, trouble, areas, drawn_map(part, attribution.cpu(), method))


def _areas(
    view: Classifier, inputs: Tensor, index: int, ranked: Tensor, wanted: Wanted, *, called: bool = True
) -> Areas:
    asked = {"baseline": BASELINE, "steps": STEPS, "seed": wanted.seed}
    lost = deletion(view, inputs, index, ranked, **asked).area
    shown = insertion(view, inputs, index, ranked, **asked).area
    if called:
        wanted.done()
    return Areas(float(lost), float(shown))
