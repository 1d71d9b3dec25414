"""`interp top-activations`."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from interpret.bundled import samples
from interpret.datasets.folders import RESULTS
from interpret.errors import InterpretError

from ..job.provenance import provenance
from ..job.results import RAW, Outputs, slug, tell_result, write_result
from ..job.sources import Source, find_pictures
from ..options.messages import Messages
from ..options.network import ModelOptions
from ..options.output import json_option, output_option
from ..options.pictures import OptionalPictures
from ..options.record import command, option
from ..options.safety import Written
from ..options.types import CHANNELS, COUNT

if TYPE_CHECKING:
    from interpret.classifier import Classifier
    from interpret.units.index import Index
    from interpret.units.top_activations import Crop


@command("top-activations", short_help="Top activations: the crops of a data set that excite a unit most.")
def top_activations(
    *,
    pictures: OptionalPictures,
    layer: str = option("The layer, as `interp layers` names it.", required=True, metavar="LAYER"),
    channels: list[int] = option(
        "The channels of the layer, such as 3,17; they are counted from 0.", "--channel", type=CHANNELS, required=True
    ),
    top: int = option("How many crops to show for each channel.", default=9, type=COUNT),
    field: Literal["effective", "full"] = option(
        "How much is cut out of a picture: the window with 95 % of the unit's squared gradient, or all it can see.",
        default="effective",
    ),
    rule: Literal["deconvnet", "guided"] | None = option(
        "How the pattern in a crop is found: by the deconvnet, or by guided backpropagation, the default where the "
        "network has no max-pooling."
    ),
    index: str | None = option(
        "The file that keeps the strongest places of all channels; by default one in interp-out/.",
        type=Written(dir_okay=False),
    ),
    batch: int = option("How many pictures the network takes at a time, at most.", default=16, type=COUNT),
    output: str | None = output_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Show the crops of pictures, by default the bundled photos, that excite units of a layer most.

    At most one crop a picture. Under each stand the pattern in it that the unit answers to (the
    deconvnet or guided projection of that unit alone) and the whole picture with the crop marked. An index file
    holds the strongest places of all channels of the layer, so that the next call, for whatever
    channel, runs the network only over pictures that are new or have changed.
    """
    from interpret.units.activations import projection_rule
    from interpret.units.top_activations import strongest_crops

    words = data_set(pictures.pictures)
    sources = find_pictures(words, pictures.recursive)
    outputs = Outputs(output, [Source("units", None, Path("units"))])
    classifier = model.open()
    file = Path(index) if index else index_file(classifier, layer, words)
    failures, known = scanned(classifier, sources, layer, channels, file=file, most=top, batch=batch, messages=messages)
    rule = rule or projection_rule(classifier.network)
    chosen = {"layer": layer, "channels": channels, "field": field, "rule": rule}
    about = provenance("top-activations", model, classifier, **chosen)
    units = {
        channel: strongest_crops(classifier, known, channel, most=top, effective=field == "effective", rule=rule)
        for channel in channels
    }
    known.save(file)  # with what the units see, which was measured for the first crop
    _note_what_is_missing(units, layer, messages)
    _write({channel: crops for channel, crops in units.items() if crops}, about, outputs, len(known.files), as_json)
    if failures:
        raise click.exceptions.Exit(1)


def data_set(words: Sequence[str]) -> tuple[str, ...]:
    """The words of a data set, by default those of the bundled photos."""
    return tuple(words) or tuple(f"sample:{name}" for name in samples())


def index_file(classifier: "Classifier", layer: str, words: Sequence[str]) -> Path:
    """A name for the index of these words of data, network and layer: another data set gets another file."""
    from interpret.units.top_activations import identity

    data = [word if word.startswith("sample:") else str(Path(word).resolve()) for word in words]
    key = json.dumps([identity(classifier, layer), data])
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    return Path(RESULTS) / f"top-activations_{slug(layer)}_{digest}.index.npz"


def scanned(
    classifier: "Classifier",
    sources: Sequence[Source],
    layer: str,
    channels: Sequence[int],
    *,
    file: Path,
    most: int,
    messages: Messages,
    batch: int = 16,
) -> tuple[int, "Index"]:
    """How many pictures failed, and the index of the others, as a file as well."""
    from interpret.units.top_activations import scan

    if any(source.path is None for source in sources):
        raise InterpretError("an index is of files; standard input cannot be looked at again")
    file.parent.mkdir(parents=True, exist_ok=True)
    shown = {source.path.resolve(): source.shown for source in sources}
    failures: list[Path] = []

    def failed(path: Path, error: Exception) -> None:
        failures.append(path)
        messages.failure(shown[path], error)

    paths = [source.path for source in sources]
    known = scan(classifier, paths, layer, channels, file=file, most=most, batch=batch, failed=failed)
    if not known.files:
        raise InterpretError("none of the pictures could be used")
    messages.note(f"scanned {known.scanned} of {len(sources)} pictures; the index is {file}")
    return len(failures), known


def _note_what_is_missing(units: dict[int, "list[Crop]"], layer: str, messages: Messages) -> None:
    for channel, crops in units.items():
        if not crops:
            Messages().note(f"channel {channel} of {layer} is never above 0 on this data: there is nothing to show")
        elif any(crop.projection is None for crop in crops):
            messages.note("no projections: the network calls no activation that the rule knows")
        if len(crops) > 1 and crops[0].value == crops[-1].value:
            messages.note(
                f"channel {channel}: all {len(crops)} have the value {crops[0].value:.3g}, a cap of the activation; "
                "the layer before it tells them apart"
            )


def _write(
    units: dict[int, "list[Crop]"], about: dict[str, Any], outputs: Outputs, pictures: int, as_json: bool
) -> None:
    """Write the figure, or the numbers, of the units that answer."""
    from interpret.figures.units import crops_figure

    if not units:
        return
    layer = about["layer"]
    path = outputs.place(Path("top-activations"), layer, "-".join(map(str, units)))
    if outputs.suffix in RAW:
        write_result(path, _arrays(units), about)
    else:
        rows = f"crop, {about['rule']} projection, whole picture"
        title = f"{about['model']}, {layer}: what excites each unit most in {pictures} pictures\n{rows}"
        write_result(path, crops_figure(units, title=title), about)
    found = {channel: [_row(crop) for crop in crops] for channel, crops in units.items()}
    tell_result(path, {**about, "found": found}, as_json)


def _row(crop: "Crop") -> dict[str, Any]:
    return {"path": str(crop.path), "value": crop.value, "place": list(crop.place), "box": list(crop.box)}


def _arrays(units: dict[int, "list[Crop]"]) -> dict[str, Any]:
    import numpy as np

    rows = [(channel, crop) for channel, crops in units.items() for crop in crops]
    return {
        "values": np.array([crop.value for _, crop in rows], dtype=np.float32),
        "channels": np.array([channel for channel, _ in rows]),
        "boxes": np.array([crop.box for _, crop in rows]),
        "paths": np.array([str(crop.path) for _, crop in rows]),
    }
