"""What a report tells of one picture: predictions, maps with their areas, and the smallest change that fools."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, PictureError, error_line
from ..explainers import explainer_named
from ..explainers.aggregation import importance
from ..explainers.blank_maps import diagnose
from ..explainers.sharing import shared_passes
from ..faithfulness.baseline_maps import centred_gaussian, random_map
from ..faithfulness.curves import both_curves
from ..images.baselines import baseline_for
from ..network.hooks import left_as_found
from ..scores import Target
from .smallest_change import Attack, Change, change_of
from .thumbnails import MapPictures, map_pictures, photo_of, visible_part, webp

TOP = 5
STEPS = 16  # of the curves whose areas are given; with fewer, what hides the class at once ends level
BASELINE = "blur"  # black loses the class at the first step of some networks, whatever the map


@dataclass(frozen=True)
class Prediction:
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
    """One method's map of one class."""

    method: str
    trouble: str = ""  # why the map is blank, or why there is none
    areas: Areas | None = None
    drawn: MapPictures | None = None  # None where there is no map


@dataclass(frozen=True)
class Explained:
    """The maps of one class, and the areas of maps that know nothing of the network."""

    seen: Prediction
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
    """The contents of a page for one picture."""

    name: str
    size: tuple[int, int]  # width and height of the file
    box: tuple[float, float, float, float]  # what the network sees: left, top, width, height as shares of it
    top: list[Prediction]
    explained: list[Explained]
    change: Change | None
    photo: bytes  # WebP, all of the picture
    part: bytes  # WebP, what the network sees of it
    shape: tuple[int, int]  # width and height of that in pixels


@dataclass(frozen=True)
class ReportOptions:
    """What a report shows of each picture."""

    methods: Sequence[str]  # names of the table EXPLAINERS
    classes: Sequence[str | int] = ()  # names, groups or indices; the top prediction where there are none
    attack: Attack | None = None  # what looks for a small change; None looks for none
    seed: int = 0  # of everything random
    begin: Callable[[str], Any] = field(default=lambda what: None)  # called with what is worked on from now on
    done: Callable[[], Any] = field(default=lambda: None)  # called after each map, the curves and the attack

    def pieces(self) -> int:
        """How often ``done`` is called for a picture."""
        return max(1, len(self.classes)) * (len(self.methods) + 1) + (self.attack is not None)


def found_in(name: str, image: Tensor, classifier: Classifier, options: ReportOptions) -> Finding:
    """Look at one picture (1, 3, H, W) in [0, 1].

    A method that cannot explain this network, or fails on it, says so in its map's place. UnknownNameError is a
    class that the network lacks, PictureError a picture that cannot be used; NetworkError and RuntimeError mean
    that the network itself fails on the picture.
    """
    image = image.detach().to(classifier.mean.device)
    inputs, geometry = classifier.prepare(image)
    inputs = inputs.clamp(0, 1)  # bicubic resizing overshoots; a picture does not
    part = visible_part(image, geometry)
    with left_as_found(classifier, image.device), torch.no_grad():
        logits = classifier(image)[0]
        shares = classifier.probabilities(logits).cpu()
    top = [_prediction(classifier, shares, index) for index in shares.topk(min(TOP, len(shares))).indices.tolist()]
    indices = [int(classifier.find(query, image)) for query in options.classes] or [top[0].index]
    explained = []
    for index in dict.fromkeys(indices):
        subject = _Subject(classifier.on_inputs(), inputs, index, part, options)
        with shared_passes():
            maps = list(subject.maps())
        explained.append(Explained(_prediction(classifier, shares, index), *subject.measured(maps)))
    change = None
    if options.attack is not None:
        options.begin("the smallest change that fools it")
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
    """A picture, and a class that is explained in it."""

    view: Classifier  # for pictures on its input grid
    inputs: Tensor  # (1, 3, h, w)
    index: int
    part: Image.Image  # what the network sees
    options: ReportOptions

    def maps(self) -> Iterator[tuple[Map, Tensor | None]]:
        """One map a method, and its values (1, 1, h, w) where they are to be measured."""
        for method in self.options.methods:
            self.options.begin(method.replace("_", "-"))
            try:
                yield self._map(method)
            except PictureError:
                raise
            except (InterpretError, RuntimeError) as error:  # the method and the network do not go together
                yield Map(method, f"not drawn: {error_line(error)}"), None
            self.options.done()

    def measured(self, maps: Sequence[tuple[Map, Tensor | None]]) -> tuple[list[Map], Areas, Areas]:
        """The maps with their areas, and the areas of a random map and of a hill in the middle."""
        self.options.begin("deletion and insertion")
        known = [values for _, values in maps if values is not None]
        ranked = torch.cat([*known, random_map(self.inputs, self.options.seed), centred_gaussian(self.inputs)])
        areas = _areas(self.view, self.inputs, self.index, ranked, self.options.seed)
        of_maps = iter(areas)
        made = [one if values is None else replace(one, areas=next(of_maps)) for one, values in maps]
        self.options.done()
        return made, *areas[-2:]

    def _map(self, method: str) -> tuple[Map, Tensor | None]:
        explain = explainer_named(method)
        chosen = {"seed": self.options.seed} if "seed" in inspect.signature(explain).parameters else {}
        attribution = explain(self.view, self.inputs, self.index, **chosen)
        (diagnosis,) = diagnose(attribution)
        trouble = "" if diagnosis.kind == "fine" else diagnosis.sentence
        values = importance(attribution, method) if diagnosis.kind != "not finite" else None
        return Map(method, trouble, drawn=map_pictures(self.part, attribution.cpu(), method)), values


def areas_of(view: Classifier, inputs: Tensor, target: Target, attribution: Tensor, *, seed: int = 0) -> Areas:
    """How well a map (1, 1, h, w) of inputs (1, C, h, w) on the input grid ranks what speaks for a target."""
    return _areas(view, inputs, target, attribution, seed)[0]


def _areas(view: Classifier, inputs: Tensor, target: Target, maps: Tensor, seed: int) -> list[Areas]:
    """The same for each of several maps (M, 1, h, w)."""
    end = baseline_for(BASELINE, view, inputs, seed)
    lost, found = both_curves(view, inputs, target, maps, end, steps=STEPS, seed=seed)
    return [Areas(*both) for both in zip(lost.area.tolist(), found.area.tolist(), strict=True)]
