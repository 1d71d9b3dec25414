"""What a report says of one picture: predictions, maps and their areas, and the smallest change that was found."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, PictureError, error_line
from ..explainers import explainer_named
from ..explainers.aggregation import importance
from ..explainers.diagnosis import diagnose
from ..explainers.sharing import shared_passes
from ..faithfulness.baseline_maps import centred_gaussian, random_map
from ..faithfulness.deletion import deletion
from ..faithfulness.insertion import insertion
from ..network.hooks import left_as_found
from .smallest_change import Attack, Change, change_of
from .thumbnails import MapPictures, map_pictures, photo_of, visible_part, webp

TOP = 5
STEPS = 25  # of the curves; with fewer, all maps that hide the class in the first step would have equal areas
BASELINE = "blur"  # with black, some networks lose the class in the first step, whatever the map


@dataclass(frozen=True)
class Prediction:
    """A class, and the probability that the network gives it."""

    index: int
    name: str
    probability: float


@dataclass(frozen=True)
class Areas:
    """The areas below a map's curves."""

    deletion: float  # how long the class withstands, lower is better
    insertion: float  # how soon the class is found, higher is better


@dataclass(frozen=True)
class Map:
    """The map of one method for one class."""

    method: str
    diagnosis: str = ""  # why the map is blank, or why there is none
    areas: Areas | None = None
    drawn: MapPictures | None = None  # None where there is no map


@dataclass(frozen=True)
class Explained:
    """The maps for one class, and the areas of the two baseline maps."""

    prediction: Prediction  # the class that is explained
    maps: list[Map]
    random: Areas
    centre: Areas

    def beats(self, found: Map) -> tuple[bool, bool]:
        """Whether the deletion of a map, and whether its insertion, is better than that of both baseline maps."""
        baselines = self.random, self.centre
        deletion = all(found.areas.deletion < baseline.deletion for baseline in baselines)
        return deletion, all(found.areas.insertion > baseline.insertion for baseline in baselines)


@dataclass(frozen=True)
class Finding:
    """Everything that is shown of one picture."""

    name: str
    size: tuple[int, int]  # width and height of the file
    box: tuple[float, float, float, float]  # the part that the network sees: left, top, width, height, as shares
    top: list[Prediction]
    explained: list[Explained]
    change: Change | None
    photo: bytes  # the whole picture, as WebP
    part: bytes  # the part that the network sees, as WebP
    shape: tuple[int, int]  # width and height of that part, in pixels


@dataclass(frozen=True)
class ReportOptions:
    """What is looked for in each picture."""

    methods: Sequence[str]  # names of the table EXPLAINERS
    classes: Sequence[str | int] = ()  # names, groups or indices; where there are none, the top prediction
    attack: Attack | None = None  # looks for a small change
    seed: int = 0  # of everything random
    done: Callable[[], Any] = field(default=lambda: None)  # called after each map, each baseline map and the attack

    def pieces(self) -> int:
        """How often ``done`` is called for a picture."""
        return max(1, len(self.classes)) * (len(self.methods) + 2) + (self.attack is not None)


def found_in(name: str, image: Tensor, classifier: Classifier, options: ReportOptions) -> Finding:
    """What is found in one picture (1, 3, H, W) in [0, 1].

    A method that cannot explain this network, or fails on it, has the reason in place of its map. It is an error
    if the network lacks a class, if the picture cannot be used, and if the network itself fails on it.
    """
    image = image.detach().to(classifier.mean.device)
    inputs, geometry = classifier.prepare(image)
    inputs = inputs.clamp(0, 1)  # bicubic resizing overshoots; a picture does not
    part = visible_part(image, geometry)
    with left_as_found(classifier, image.device), torch.no_grad():
        shares = classifier(image)[0].softmax(0).cpu()
    top = [_prediction(classifier, shares, index) for index in shares.topk(min(TOP, len(shares))).indices.tolist()]
    indices = [int(classifier.find(query, image)) for query in options.classes] or [top[0].index]
    explained = []
    for index in dict.fromkeys(indices):
        subject = _Subject(classifier.on_inputs(), inputs, index, part, options)
        with shared_passes():
            maps = list(subject.maps())
        explained.append(Explained(_prediction(classifier, shares, index), maps, *subject.baselines()))
    change = None
    if options.attack is not None:
        change = change_of(classifier, image, options.attack)
        options.done()
    left, upper, right, lower = geometry.box
    height, width = geometry.picture
    box = left / width, upper / height, (right - left) / width, (lower - upper) / height
    return Finding(name, (width, height), box, top, explained, change, photo_of(image), webp(part), part.size)


def _prediction(classifier: Classifier, shares: Tensor, index: int) -> Prediction:
    return Prediction(index, classifier.name(index), float(shares[index]))


@dataclass(frozen=True)
class _Subject:
    """A class to be explained in a picture."""

    view: Classifier  # takes pictures on its input grid
    inputs: Tensor  # (1, 3, h, w)
    index: int
    part: Image.Image  # the part of the picture that the network sees
    options: ReportOptions

    def maps(self) -> Iterator[Map]:
        """The map of each method."""
        for method in self.options.methods:
            try:
                found = self._map(method)
            except PictureError:
                raise
            except (InterpretError, RuntimeError) as error:  # the method does not work on this network
                found = Map(method, f"not drawn: {error_line(error)}")
            yield found
            self.options.done()

    def baselines(self) -> Iterator[Areas]:
        """The areas of a random map, and of a hill in the middle."""
        for baseline in (random_map, centred_gaussian):
            yield self._areas(baseline(self.inputs, self.options.seed))
            self.options.done()

    def _map(self, method: str) -> Map:
        explain = explainer_named(method)
        chosen = {"seed": self.options.seed} if "seed" in inspect.signature(explain).parameters else {}
        attribution = explain(self.view, self.inputs, self.index, **chosen)
        (found,) = diagnose(attribution)
        diagnosis = "" if found.kind == "fine" else found.sentence
        areas = self._areas(importance(attribution, method)) if found.kind != "not finite" else None
        return Map(method, diagnosis, areas, map_pictures(self.part, attribution.cpu(), method))

    def _areas(self, attribution: Tensor) -> Areas:
        given = self.view, self.inputs, self.index, attribution
        curves = {"baseline": BASELINE, "steps": STEPS, "seed": self.options.seed}
        return Areas(float(deletion(*given, **curves).area), float(insertion(*given, **curves).area))
