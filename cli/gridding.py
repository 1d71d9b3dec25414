"""`interp grid` at work: maps from the cache or from the networks, picture by picture, and one figure of all."""

import functools
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attacks import ATTACKS
from interpret.errors import InterpretError, PictureError, did_you_mean

from . import options
from .drawn import about_run, no_raw_format
from .explain import KINDS
from .inputs import Source, find_pictures, output_stems
from .outputs import VECTOR, Outputs, write_result
from .signatures import Method, attack_methods, methods

if TYPE_CHECKING:
    from interpret.classifier import Classifier
    from interpret.figures.grid_maps import Asked, Cell

ATTACKING = ("eps", "minimum_norm", "pixels")  # the kinds that need a picture and its label alone


class Words(click.ParamType):
    """Names with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """The names, each once."""
        parts = value if isinstance(value, list | tuple) else str(value).split(",")
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def draw_grid(settings: dict[str, Any]) -> None:
    """Make or find every map, draw the figure, write it and say where it is.

    Args:
        settings: the command's parameters.

    Raises:
        click.exceptions.Exit: with 1, where some picture failed; the figure has the others.
    """
    sources = find_pictures(settings.pop("pictures"), settings.pop("recursive"))
    outputs = Outputs(settings.pop("output"), sources[:1])
    outputs.inputs |= {source.path.resolve() for source in sources if source.path is not None}
    no_raw_format(outputs)
    named = {name: settings[name] for name in ("model", "weights")}
    layout = {name: settings.pop(name) for name in ("rows", "cols", "scale", "view", "whole", "width")}
    with options.notes_of_the_library(not settings["verbose"]):
        asked = _asked(settings, layout)
        cells = _cells(sources, asked, settings)
    if not cells:
        raise click.exceptions.Exit(1)
    first = next(iter(asked.classifiers.values()))
    choices = {name: settings[name] for name in ("methods", "classes", "top_k", "layers", "attacks", "eps", "seed")}
    shown = {"pictures": [source.shown for source in sources], **choices, "options": asked.options, "drawing": layout}
    about = about_run("grid", named, first, models=asked.hashes, **shown)
    path = outputs.place(output_stems(sources)[0] if len(sources) == 1 else Path("pictures"), "grid")
    _write(path, cells, layout, about)
    if path is not None:
        options.tell(json.dumps({"path": str(path), **about}) if settings["as_json"] else str(path))
    if len({cell.place["images"] for cell in cells}) < len(sources):
        raise click.exceptions.Exit(1)


def _asked(settings: dict[str, Any], layout: dict[str, Any]) -> "Asked":
    """Everything that can be wrong before the first picture is looked at, looked at."""
    settings["methods"] = [_named(name, methods(), "method").name for name in settings["methods"]]
    method_options = _method_options(settings)
    attacks = _attacks(settings)
    from interpret.figures.cache import MapStore, user_folder
    from interpret.figures.grid_layout import check
    from interpret.figures.grid_maps import Asked
    from interpret.network.hooks import find_layer

    check(layout["rows"], layout["cols"], layout["scale"])
    classifiers = _classifiers(settings)
    for layer in settings["layers"]:
        for classifier in classifiers.values():
            find_layer(classifier.network, layer)
    for query in settings["classes"]:
        for note in {classifier.labels.find(query).note for classifier in classifiers.values()} - {None}:
            options.note(note, settings["quiet"])
    folder = None if settings["no_cache"] else settings["cache"] or user_folder()
    return Asked(
        classifiers,
        settings["methods"],
        settings["classes"],
        settings["top_k"],
        settings["layers"],
        attacks,
        method_options,
        picture=settings["picture"],
        store=MapStore(folder),
    )


def _classifiers(settings: dict[str, Any]) -> dict[str, "Classifier"]:
    names = settings["models"] or [settings["model"]]
    opened = {}
    for name in names:
        own = {**settings, "model": name}
        opened[options.network_name(name, names)] = options.open_classifier(own)
    return opened


def _cells(sources: Sequence[Source], asked: "Asked", settings: dict[str, Any]) -> "list[Cell]":
    """The panels of every picture; one that fails is reported and passed over."""
    from interpret.figures.grid_maps import cells_of
    from interpret.progress import progress_bar

    found: list[Cell] = []
    with progress_bar(len(sources) * asked.maps_a_picture(), "grid", "map") as bar:
        for source, stem in zip(sources, output_stems(sources), strict=True):
            try:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    cells = list(cells_of(str(stem), source.read(), asked, bar.update))
            except (PictureError, RuntimeError) as error:
                options.note_failure(source.shown, error, settings["verbose"])
                continue
            troubles = [f"{cell.place['methods']}: {cell.trouble}" for cell in cells if cell.trouble]
            for line in dict.fromkeys([*(str(warning.message) for warning in caught), *troubles]):
                options.note(f"{source.shown}: {line}", settings["quiet"])
            found += cells
    return found


def _write(path: Path | None, cells: "Sequence[Cell]", layout: dict[str, Any], about: dict[str, Any]) -> None:
    from matplotlib.image import AxesImage

    from interpret.figures.figure_grid import drawn

    figure = drawn(cells, **layout)
    if path is not None and path.suffix.lower() in VECTOR:
        for image in figure.findobj(AxesImage):
            image.set_interpolation("none")  # the pixels themselves, which a reader may magnify
    write_result(path, figure, about)


def _named(name: str, known: Sequence[Method], kind: str) -> Method:
    by_name = {method.name: method for method in known}
    if name.replace("-", "_") not in by_name:
        raise InterpretError(f"no {kind} {name!r}{did_you_mean(name, [method.command for method in known])}")
    return by_name[name.replace("-", "_")]


def _method_options(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What --set says, and the seed for the methods that draw at random."""
    found: dict[str, dict[str, Any]] = {name: {} for name in settings["methods"]}
    for name, own in found.items():
        if any(option.name == "seed" for option in _named(name, methods(), "method").options):
            own["seed"] = settings["seed"]
    for given in settings["set"]:
        place, _, text = given.partition("=")
        name, _, key = place.replace("-", "_").partition(".")
        method = _named(name, methods(), "method")
        by_name = {option.name: option for option in method.options}
        if method.name not in found:
            raise InterpretError(f"--set {given}: {method.command} is not among --methods")
        if key not in by_name or not text:
            raise InterpretError(
                f"--set takes METHOD.OPTION=VALUE; {method.command} has {', '.join(by_name) or 'none'}"
            )
        found[method.name][key] = _kind(by_name[key].annotation).convert(text, None, None)
    return found


def _kind(annotation: str) -> click.ParamType:
    if annotation == "bool":
        return click.BOOL
    if annotation.startswith("Literal["):
        return click.Choice([word.strip(" '\"") for word in annotation[8:-1].split(",")])
    return KINDS[annotation.split(" | ")[0]]


def _attacks(settings: dict[str, Any]) -> dict[str, Any]:
    """Each attack with its options, as a function of network, images and labels."""
    usable = [method for method in attack_methods() if ATTACKS[method.name] in ATTACKING]
    if settings["eps"] > 1:
        raise InterpretError(f"an eps of {settings['eps']:g} is no bound; did you mean {settings['eps']:g}/255?")
    found = {}
    for name in settings["attacks"]:
        from attacks import attack_named

        method = _named(name, usable, "attack")
        every = {"eps": settings["eps"], "quantize": True, "stop_when_fooled": True, "seed": settings["seed"]}
        known = {option.name for option in method.options}
        chosen = {key: value for key, value in every.items() if key in known}
        label = f"{method.command} {255 * settings['eps']:.4g}/255" if "eps" in chosen else method.command
        found[label] = functools.partial(attack_named(method.name), **chosen)
    return found
