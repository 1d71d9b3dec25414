"""`interp concepts`."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError

from ..job.provenance import provenance
from ..job.results import RAW, Outputs, write_result
from ..job.sources import Source, output_stems, sources_of
from ..options.classes import class_option
from ..options.messages import Messages, tell
from ..options.network import ModelOptions
from ..options.numbers import Number, number_of
from ..options.output import json_option, output_option
from ..options.pictures import PictureOptions, seed_option
from ..options.record import command, option
from ..options.types import COUNT

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.concepts.craft import Concepts
    from interpret.scores import Target


@dataclass(frozen=True)
class SearchOptions:
    """How concepts are found."""

    concepts: int = option("How many concepts to look for.", default=8, type=COUNT)
    crop_side: float = option(
        "Side of the crops that concepts are found in, as a share of the network's input.",
        default=0.33,
        type=number_of("crop", whole=False),
    )
    layer: str | None = option(
        "The layer, as `interp layers` names it; by default the last feature map.", metavar="LAYER"
    )
    draws: int = option("How many random concepts each one is compared with.", default=20)
    seed: int = seed_option()


@command(short_help="Find the concepts that a class depends on, without labels.")
def concepts(
    *,
    pictures: PictureOptions,
    class_name: str | None = class_option(
        "The class, or a group such as dog; by default what most pictures are seen as.", "-c", "--class"
    ),
    every: bool = option("Also use pictures that the network takes for something else.", "--all"),
    search: SearchOptions,
    show: int = option("How many of the concepts to draw.", default=5, type=COUNT),
    steps: int = option(
        "How many steps the picture of each concept is drawn with; 0 draws none.", default=64, type=Number(0)
    ),
    output: str | None = output_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Find the concepts by which a network knows a class, in PICTURES of it: which idea, not which pixel.

    Crops of the pictures are taken apart by what a layer gives for them. A row is a concept: a picture drawn of its
    direction, the crops in which it is strongest, and where it is in whole pictures. The first row is the one without
    which the class's score falls most, beside how far it falls without random channels that hold as much.
    CRAFT (Fel et al. 2023): https://arxiv.org/abs/2211.10154
    """
    from interpret.concepts.craft import craft

    sources = sources_of(pictures)
    outputs = Outputs(output, [Source("concepts", None, output_stems(sources)[0])])
    model.check_classes(class_name)
    classifier = model.open()
    read, images, failed = read_pictures(sources, classifier, messages)
    label, target, kept = _of_class(classifier, images, class_name, every)
    messages.note(f"{len(kept)} of {len(images)} pictures are {'used' if every else f'seen as {label}'}")
    images, read = [images[number] for number in kept], [read[number] for number in kept]
    chosen = asdict(search)
    chosen["crop"] = chosen.pop("crop_side")
    found = craft(classifier, images, target, **chosen)
    about = provenance("concepts", model, classifier, **{**chosen, "layer": found.layer, "class": label})
    about |= {"pictures": [source.shown for source in read], "left_out": found.error}
    about["concepts"] = [_row(found, number) for number in range(len(found.directions))]
    for number, row in enumerate(about["concepts"][:show], 1):
        floor = f"without random channels by {row['floor']:.3g} (as far in {row['chance']:.0%})"
        messages.note(f"concept {number}: without it {label} falls by {row['fall']:.3g}, {floor}")
    path = outputs.place(read[0].inside.with_suffix(""), "concepts", label)
    if outputs.suffix in RAW:
        write_result(path, _arrays(found), about)
    else:
        write_result(path, _figure(classifier, images, _first(found, show), steps, label), about)
    if path is not None:
        tell(json.dumps({"path": str(path), **about}) if as_json else str(path))
    if failed:
        raise click.exceptions.Exit(1)


def read_pictures(
    sources: list[Source], classifier: "Classifier", messages: Messages
) -> tuple[list[Source], list["Tensor"], int]:
    """The sources that could be read, their pictures on the network's device, and how many could not."""
    read, images, failed = [], [], 0
    for source in sources:
        try:
            images.append(source.read().to(classifier.mean.device))
            read.append(source)
        except (PictureError, RuntimeError) as error:
            failed += 1
            messages.failure(source.shown, error)
    if not images:
        raise click.exceptions.Exit(1)
    return read, images, failed


def class_target(classifier: "Classifier", images: list["Tensor"], name: str) -> tuple[list[int], "Target"]:
    """The classes that a name means, and their score: the logit of one, or of a group as one."""
    from interpret.scores import group

    if classifier.labels is None:
        indices = [int(classifier.find(name, images[0])[0])]
    else:
        indices = list(classifier.labels.find(name).indices)
    return indices, indices[0] if len(indices) == 1 else group(indices)


def _of_class(
    classifier: "Classifier", images: list["Tensor"], name: str | None, every: bool
) -> tuple[str, "Target", list[int]]:
    """The class's name, its score, and the numbers of the pictures that are used."""
    seen = [int(classifier.predict(image)[0]) for image in images]
    if name is None:
        indices = [Counter(seen).most_common(1)[0][0]]
        label, target = classifier.name(indices[0]), indices[0]
    else:
        indices, target = class_target(classifier, images, name)
        label = classifier.name(indices[0]) if len(indices) == 1 else name
    kept = [number for number, index in enumerate(seen) if every or index in indices]
    if not kept:
        raise InterpretError(f"none of the {len(seen)} pictures is seen as {label}; --all uses them all the same")
    return label, target, kept


def _row(found: "Concepts", number: int) -> dict[str, Any]:
    floors = found.floors[number]
    return {
        "fall": float(found.falls[number]),
        "floor": float(floors.mean()),
        "floor_max": float(floors.max()),
        "chance": found.chance(number),
    }


def _first(found: "Concepts", count: int) -> "Concepts":
    """The concepts that matter most."""
    from dataclasses import replace

    maps = tuple(own[:count] for own in found.maps)
    kept = {name: getattr(found, name)[:count] for name in ("directions", "falls", "floors")}
    return replace(found, strengths=found.strengths[:, :count], maps=maps, **kept)


def _figure(classifier: "Classifier", images: list["Tensor"], found: "Concepts", steps: int, label: str) -> object:
    from interpret.drawing.feature_visualization import visualize
    from interpret.drawing.objectives import direction
    from interpret.figures.concepts import concepts_figure

    drawn = []
    if steps:
        drawn = [visualize(classifier, direction(found.layer, own), steps=steps) for own in found.directions]
    inputs = [classifier.prepare(image)[0].clamp(0, 1) for image in images]
    title = f"{label}, by the concepts of {found.layer}"
    return concepts_figure(found, inputs, drawn=drawn, title=title)


def _arrays(found: "Concepts") -> dict:
    maps = {f"maps_{number}": own.cpu().numpy() for number, own in enumerate(found.maps)}
    whole = {name: getattr(found, name).cpu().numpy() for name in ("directions", "strengths", "falls", "floors")}
    return {"directions": whole.pop("directions"), **whole, **maps}
