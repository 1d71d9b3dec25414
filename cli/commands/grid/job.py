"""`interp grid` at work: maps from the cache or from the networks, picture by picture."""

import functools
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from interpret.errors import InterpretError, PictureError, printable

from ...job.sources import Source, output_stems
from ...options.classes import best_of_class_option
from ...options.map_display import colormap_option, opacity_option
from ...options.messages import Messages
from ...options.network import ModelOptions, network_name
from ...options.numbers import Number
from ...options.pictures import seed_option
from ...options.radius import Radius, check_radius
from ...options.record import option
from ...options.safety import NetworkNames, Written
from ...options.signature import Method, attack_methods, kind_of, method_named, methods
from ...options.types import COUNT, WORDS

if TYPE_CHECKING:
    from interpret.classifier import Classifier
    from interpret.figures.grid_maps import Cell, GridContents
    from interpret.figures.grid_panels import GridLook


@dataclass(frozen=True)
class ContentOptions:
    """What a grid shows of each picture."""

    methods: list[str] = option(
        "The methods, with commas between them; `interp methods` lists them.", default="gradcam", type=WORDS
    )
    classes: tuple[str, ...] = best_of_class_option()
    top_k: int = option(
        "Explain so many of the likeliest classes; by default the likeliest.", default=1, show_default=False, type=COUNT
    )
    layers: list[str] = option(
        "The layers, for the methods that look at one; `interp layers` lists them.",
        default="",
        show_default=False,
        type=WORDS,
    )
    models: list[str] = option(
        "Several networks instead of --model, with commas between them.",
        default="",
        show_default=False,
        type=NetworkNames(),
    )
    attacks: list[str] = option(
        "Also show the pictures as changed by these attacks, such as fgsm,pgd.",
        default="",
        show_default=False,
        type=WORDS,
    )
    eps: float = option("The largest change that an attack may make.", default="4/255", type=Radius())
    options: tuple[str, ...] = option(
        "An option of a method, such as rise.masks=500; may be repeated.", "--set", metavar="METHOD.OPTION=VALUE"
    )
    picture: bool = option("Show the pictures themselves.", default=True)
    seed: int = seed_option()


@dataclass(frozen=True)
class LayoutOptions:
    """Where the panels stand, and which maps share a scale."""

    rows: list[str] | None = option(
        "What goes down, the outermost first: images, models, attacks, classes, layers, methods. By default "
        "all of these that there are several of, except the methods.",
        type=WORDS,
        metavar="AXES",
    )
    cols: list[str] | None = option("What goes across; by default what is left over.", type=WORDS, metavar="AXES")
    scale: Literal["each", "row", "col", "shared"] = option(
        "Whose largest value gets the strongest colour: each map's own, or one that the maps of a method share "
        "in a row, in a column or all over the grid; those have a bar.",
        default="each",
    )


@dataclass(frozen=True)
class LookOptions:
    """How the panels look."""

    view: Literal["overlay", "heatmap"] | None = option(
        "Draw maps over the picture or alone; by default what suits each method."
    )
    whole: bool = option("Show all of each picture, not only what the network sees; the rest is hatched.")
    width: float | None = option(
        "The width of the figure; by default 1.8 inches a column.", type=Number(1.0, 400.0), metavar="INCHES"
    )
    caption: bool = option("Write each map's largest value below it.", default=True)
    letters: bool = option("Write a, b, c in the panels, so that a text can refer to them.")
    colormap: list[str] = colormap_option()
    opacity: float = opacity_option()

    @property
    def look(self) -> "GridLook":
        """The same for the library."""
        from interpret.figures.colours import colours_of
        from interpret.figures.grid_panels import GridLook

        colours = colours_of(self.colormap, self.opacity)
        return GridLook(self.view, self.whole, self.width, self.caption, self.letters, colours)


@dataclass(frozen=True)
class CacheOptions:
    """Where raw maps are kept."""

    folder: str | None = option(
        "The folder where raw maps are kept, so that another layout costs nothing; by default interp/maps in "
        "$XDG_CACHE_HOME or ~/.cache. It is kept below 2 GB.",
        "--cache",
        type=Written(file_okay=False),
    )
    no_cache: bool = option("Make every map anew and keep none.")


def contents_of(
    content: ContentOptions, layout: LayoutOptions, cache: CacheOptions, model: ModelOptions, messages: Messages
) -> "GridContents":
    """What the options ask for; all that can be wrong with them is found before the first picture is looked at."""
    chosen = [method_named(name, methods(), "method") for name in content.methods]
    method_options = _method_options(content, chosen)
    attacks = _attacks(content)
    from interpret.figures.cache import MapStore, user_folder
    from interpret.figures.grid_layout import check_layout
    from interpret.figures.grid_maps import GridContents
    from interpret.network.hooks import find_layer

    check_layout(layout.rows, layout.cols, layout.scale)
    if not content.models:
        model.check_classes(*content.classes)
    classifiers = _classifiers(content.models or [model.model], model)
    for classifier in classifiers.values():
        for layer in content.layers:
            find_layer(classifier.network, layer)
    for query in content.classes:
        for note in {classifier.labels.find(query).note for classifier in classifiers.values()} - {None}:
            messages.note(note)
    return GridContents(
        classifiers,
        [method.name for method in chosen],
        content.classes,
        content.top_k,
        content.layers,
        attacks,
        method_options,
        picture=content.picture,
        store=MapStore(None if cache.no_cache else cache.folder or user_folder()),
    )


def _classifiers(names: Sequence[str], model: ModelOptions) -> "dict[str, Classifier]":
    return {network_name(name, names): model.named(name).open(tiles=True) for name in names}


def _method_options(content: ContentOptions, chosen: Sequence[Method]) -> dict[str, dict[str, Any]]:
    """What --set says, and the seed for the methods that draw at random."""
    found = {method.name: {"seed": content.seed} if method.option("seed") else {} for method in chosen}
    for given in content.options:
        place, _, text = given.partition("=")
        name, _, key = place.replace("-", "_").partition(".")
        method = method_named(name, methods(), "method")
        if method.name not in found:
            raise InterpretError(f"--set {given}: {method.command} is not among --methods")
        known = {option.name: option for option in method.options if option.for_shell}
        if not text or key not in known:
            have = ", ".join(known) or "none"
            raise InterpretError(f"--set takes METHOD.OPTION=VALUE; {method.command} has {have}")
        found[method.name][key] = kind_of(known[key]).convert(text, None, None)
    return found


def _attacks(content: ContentOptions) -> dict[str, Any]:
    """Each attack with its options, as a function of network, images and labels."""
    check_radius(content.eps)
    found = {}
    for name in content.attacks:
        from attacks import attack_named

        method = method_named(name, attack_methods(), "attack")
        every = {"eps": content.eps, "quantize": True, "stop_when_fooled": True, "seed": content.seed}
        chosen = {key: value for key, value in every.items() if method.option(key)}
        label = f"{method.command} {255 * content.eps:.4g}/255" if "eps" in chosen else method.command
        found[label] = functools.partial(attack_named(method.name), **chosen)
    return found


def picture_labels(sources: Sequence[Source]) -> list[str]:
    """What a grid calls each picture: its name and, where others have the same, as many of its folders as it takes."""
    stems = [source.inside.with_suffix("") for source in sources]
    paths = [
        stem if source.path is None else source.path.with_suffix("")
        for stem, source in zip(stems, sources, strict=True)
    ]
    labels = [str(stem) for stem in stems]
    for deeper in range(1, 4):
        shared = Counter(labels)
        for number, path in enumerate(paths):
            if shared[labels[number]] > 1:
                parts = len(stems[number].parts) + deeper
                labels[number] = "/".join(path.parts[-parts:])
    plain = [str(stem) for stem in output_stems(sources)]
    shared = Counter(labels)
    return [label if shared[label] == 1 else stem for label, stem in zip(labels, plain, strict=True)]


def cells_of_all(sources: Sequence[Source], contents: "GridContents", messages: Messages) -> "list[Cell]":
    """The panels of every picture; one that fails is reported and passed over."""
    from interpret.figures.grid_maps import cells_of
    from interpret.progress import progress_bar

    found: list[Cell] = []
    with progress_bar(len(sources) * contents.maps_per_picture(), "grid", "map") as bar:
        for source, label in zip(sources, picture_labels(sources), strict=True):
            try:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    cells = list(cells_of(printable(label), source.read(), contents, bar.update))
            except (PictureError, RuntimeError) as error:
                messages.failure(source.shown, error)
                continue
            diagnoses = [f"{cell.place['methods']}: {cell.diagnosis}" for cell in cells if cell.diagnosis]
            for line in dict.fromkeys([*(str(warning.message) for warning in caught), *diagnoses]):
                messages.note(f"{source.shown}: {line}")
            found += cells
    return found
