"""The maps of a figure grid: every method, layer and class for every network, attack and picture."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, did_you_mean
from ..explainers import EXPLAINERS, explainer_named
from ..explainers.absent_classes import with_presence
from ..explainers.blank_maps import diagnose
from ..explainers.sharing import shared_passes
from ..geometry import Geometry
from ..images.files import pixels_hash
from ..network.hooks import left_as_found
from ..network.outputs import top_outputs
from .cache import MapStore
from .display import Display

AXES = ("images", "models", "attacks", "classes", "layers", "methods")
PICTURE = "picture"  # stands among the methods for the picture itself
CLEAN = "clean"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

AttackFunction = Callable[[Classifier, Tensor, Tensor], Tensor]  # classifier, images, labels -> images


@dataclass(frozen=True)
class Cell:
    """One panel of a grid."""

    place: dict[str, str]  # axis -> which of its values this is
    image: Tensor  # (1, 3, H, W) in [0, 1]
    geometry: Geometry  # where the network's input lies on it
    attribution: Tensor | None = None  # (1, C, h, w) on the network's input; None shows the picture itself
    label: str = ""  # the class that is explained or, of a picture, predicted, with its probability
    diagnosis: str = ""  # why the map is blank

    @property
    def display(self) -> Display:
        """How the method's maps look."""
        return Display.of(self.place["methods"])

    def values(self) -> Tensor:
        """What is drawn of the map: (1, 1, h, w) values, or (1, 3, h, w) colours."""
        return self.display.values(self.attribution)

    def sharp_values(self) -> Tensor:
        """What is drawn before it is blurred."""
        return replace(self.display, blur=0.0).values(self.attribution)


@dataclass(frozen=True)
class GridContents:
    """What a grid shows of each picture; see ``interpret.figures.grid``."""

    classifiers: Mapping[str, Classifier]
    methods: Sequence[str]
    classes: Sequence[str | int] = ()
    top_k: int = 1
    layers: Sequence[str] = ()
    attacks: Mapping[str, AttackFunction] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    picture: bool = True
    store: MapStore = field(default_factory=lambda: MapStore(None))
    identities: dict[str, dict[str, Any]] = field(default_factory=dict)  # by network, what its maps depend on

    def __post_init__(self) -> None:
        if not self.methods or not self.classifiers:
            raise InterpretError("a grid needs at least one method and one classifier")
        for name in (*self.methods, *self.options):
            if name not in EXPLAINERS:
                raise InterpretError(f"no method {name!r}{did_you_mean(name, EXPLAINERS)}")
        for name, classifier in self.classifiers.items():
            if not isinstance(classifier, Classifier):
                raise InterpretError("a grid names classes and sizes pictures: wrap the network in a Classifier")
            for query in self.classes:  # one that the network lacks ends the run before it begins
                _members(classifier, query)
            self.identities[name] = classifier.identity()
        if self.classes and self.top_k > 1:
            raise InterpretError("top_k explains the top predictions; leave out the classes")
        if self.layers and not any(map(_takes_layer, self.methods)):
            raise InterpretError(f"none of {', '.join(self.methods)} looks at a layer; leave out the layers")

    def maps_per_picture(self) -> int:
        """How many maps each picture has, for a progress bar."""
        classes = len(self.classes) or self.top_k
        layers = sum(max(1, len(self.layers)) if _takes_layer(method) else 1 for method in self.methods)
        return len(self.classifiers) * (1 + len(self.attacks)) * classes * layers


def cells_of(
    name: str, image: Tensor, contents: GridContents, done: Callable[[], Any] = lambda: None
) -> Iterator[Cell]:
    """Every panel that shows one picture (1, 3, H, W) in [0, 1]; ``done`` is called after each map.

    A method that looks at no layer, and the picture itself, come once for all layers and all classes.
    """
    for model, classifier in contents.classifiers.items():
        clean = image.to(classifier.mean.device)
        for attack in (CLEAN, *contents.attacks):
            picture = clean if attack == CLEAN else _attacked(clean, model, attack, contents)
            for cell in _cells_of_picture(picture, model, contents, done):
                cell.place.update(images=name, models=model, attacks=attack)
                yield cell


def _attacked(image: Tensor, model: str, attack: str, contents: GridContents) -> Tensor:
    classifier, run = contents.classifiers[model], contents.attacks[attack]
    label = _logits(image, model, contents).argmax(1).to(image.device)
    key = _key(image, model, contents, attack=attack, settings=_settings(run))
    store = contents.store if key["settings"] is not None else MapStore(None)

    def make() -> Tensor:
        with left_as_found(classifier, image.device):
            return run(classifier, image, label)

    return store.get(key, make).to(image)


def _cells_of_picture(image: Tensor, model: str, contents: GridContents, done: Callable[[], Any]) -> list[Cell]:
    classifier = contents.classifiers[model]
    inputs, geometry = classifier.prepare(image)
    view, photo = classifier.on_inputs(), image.cpu()
    logits = _logits(image, model, contents)[0]
    key, cells = _key(image, model, contents), []
    if contents.picture:
        label = f"prediction: {classifier.shown(logits, int(logits.argmax()), NO_BREAK_SPACE)}"
        cells.append(Cell({"methods": PICTURE}, photo, geometry, label=label))
    with shared_passes():
        for query, index in _classes(classifier, logits, contents):
            label = with_presence(classifier, logits, [index], classifier.name(index), NO_BREAK_SPACE)
            for method in contents.methods:
                for layer in contents.layers if contents.layers and _takes_layer(method) else ("",):
                    options = {**contents.options.get(method, {}), **({"layer": layer} if layer else {})}
                    make = functools.partial(explainer_named(method), view, inputs, index, **options)
                    map_key = {**key, "method": method, "options": options, "class": index}
                    attribution = contents.store.get(map_key, make)
                    (found,) = diagnose(attribution)
                    diagnosis = "" if found.kind == "fine" else found.sentence
                    place = {"classes": query, "methods": method} | ({"layers": layer} if layer else {})
                    cells.append(Cell(place, photo, geometry, attribution, label, diagnosis))
                    done()
    return cells


def _logits(image: Tensor, model: str, contents: GridContents) -> Tensor:
    classifier = contents.classifiers[model]

    def make() -> Tensor:
        with left_as_found(classifier, image.device), torch.no_grad():
            return classifier(image)

    return contents.store.get(_key(image, model, contents, method="logits"), make)


def _key(image: Tensor, model: str, contents: GridContents, **more: Any) -> dict[str, Any]:
    from .. import __version__

    versions = f"{__version__} {torch.__version__}"
    return {"picture": pixels_hash(image), "network": contents.identities[model], "versions": versions, **more}


def _classes(classifier: Classifier, logits: Tensor, contents: GridContents) -> Iterator[tuple[str, int]]:
    """The name of each value of the class axis, and the class that it means for these logits (classes,)."""
    if not contents.classes:
        top_outputs(logits[None], classifier.task)  # refuses a regression of several outputs
    for rank, index in enumerate(logits.topk(min(contents.top_k, len(logits))).indices.tolist(), 1):
        if not contents.classes:
            yield "prediction" if contents.top_k == 1 else f"prediction {rank}", index
    for query in contents.classes:
        yield str(query), max(_members(classifier, query), key=lambda index: float(logits[index]))


def _members(classifier: Classifier, query: str | int) -> Sequence[int]:
    if classifier.labels is not None:
        return classifier.labels.find(query).indices
    if not str(query).isdigit():
        raise InterpretError(f"the network's classes have no names, so {query!r} means nothing; give it labels")
    return [int(query)]


def _takes_layer(method: str) -> bool:
    return "layer" in inspect.signature(explainer_named(method)).parameters


def _settings(attack: AttackFunction) -> str | None:
    """The name and the options of an attack that is a function of a module, or a partial of one; else None."""
    function, options = getattr(attack, "func", attack), getattr(attack, "keywords", {})
    if not inspect.isfunction(function) or "<" in function.__qualname__ or getattr(attack, "args", ()):
        return None
    return f"{function.__module__}.{function.__qualname__} {sorted(options.items())}"
