"""`interp top-activations`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from .. import options
from ..inputs import Source
from ..outputs import RAW, Outputs, output_option, write_result
from ..scanned import index_file, pictures_of, scanned

if TYPE_CHECKING:
    from interpret.units.index import Index


class Channels(click.ParamType):
    """Channel numbers with commas between them, such as 3,17."""

    name = "channels"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        parts = value if isinstance(value, list) else str(value).split(",")
        try:
            return list(dict.fromkeys(int(part) for part in parts))
        except ValueError:
            self.fail(f"{value!r} is not a list of channel numbers such as 3,17", param, ctx)


@click.command("top-activations", short_help="Show the crops of a data set that excite a unit most.")
@click.argument("data", nargs=-1, metavar="[DATA]...", shell_complete=options.complete_pictures)
@options.recursive_option
@click.option("--layer", required=True, help="The layer, as `interp layers` names it.")
@click.option("--channel", "channels", type=Channels(), required=True, help="Its channels, such as 3,17.")
@click.option("--top", type=click.IntRange(1), default=9, show_default=True, help="How many crops a channel.")
@click.option(
    "--field",
    type=click.Choice(["effective", "full"]),
    default="effective",
    show_default=True,
    help="Cut to the window with 95 % of the layer's squared gradient, or to all that a unit can see.",
)
@click.option(
    "--rule",
    type=click.Choice(["deconvnet", "guided"]),
    help="Of the projections: deconvnet; or guided, the default where no max-pooling tells pictures apart.",
)
@click.option("--index", type=click.Path(dir_okay=False), help="The index file; by default in interp-out/.")
@click.option("--batch", type=click.IntRange(1), default=16, show_default=True, help="Pictures run at once.")
@output_option
@options.model_options
@options.json_option
@options.message_options
def top_activations(
    data: tuple[str, ...],
    recursive: bool,
    layer: str,
    channels: list[int],
    top: int,
    field: str,
    rule: Literal["deconvnet", "guided"] | None,
    index: str | None,
    batch: int,
    output: str | None,
    as_json: bool,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Show the crops of DATA, by default the bundled photos, that excite units of a layer most.

    At most one crop a picture. Under each stand the pattern in it that the unit answers to (the
    deconvnet or guided projection of that unit alone) and the whole picture with the crop marked. An index file
    holds the strongest places of all channels of the layer, so that the next call, for whatever
    channel, runs the network only over pictures that are new or have changed.
    """
    from interpret.units.activations import projection_rule
    from interpret.units.top_activations import identity, strongest_crops

    words, sources = pictures_of(data, recursive)
    outputs = Outputs(output, [Source("units", None, Path("units"))])
    model = settings["model"]
    classifier = options.open_classifier(settings)
    about = {"command": "top-activations", "model": model, **identity(classifier, layer), "channels": channels}
    file = Path(index) if index else index_file(about, words)
    failures, known = scanned(classifier, sources, about, file, top, batch, quiet, verbose)
    rule = rule or projection_rule(classifier.network)
    about |= {"field": field, "rule": rule}
    units = {
        channel: strongest_crops(classifier, known, channel, most=top, effective=field == "effective", rule=rule)
        for channel in channels
    }
    known.save(file)  # with what the units see, which was measured for the first crop
    _report(units, about, outputs, known, quiet, as_json)
    if failures:
        raise click.exceptions.Exit(1)


def _report(
    units: dict[int, list], about: dict[str, Any], outputs: Outputs, known: "Index", quiet: bool, as_json: bool
) -> None:
    """Write the figure of the units that answer, and say which do not."""
    from interpret.figures.units import crops_figure

    layer = about["layer"]
    for channel, crops in units.items():
        if not crops:
            options.note(f"channel {channel} of {layer} is never above 0 on this data: there is nothing to show")
        elif any(crop.projection is None for crop in crops):
            options.note("no projections: the network calls no activation that the rule knows", quiet)
        if len(crops) > 1 and crops[0].value == crops[-1].value:
            options.note(
                f"channel {channel}: all {len(crops)} have the value {crops[0].value:.3g}, a cap of the activation; "
                "the layer before it tells them apart",
                quiet,
            )
    alive = {channel: crops for channel, crops in units.items() if crops}
    if not alive:
        return
    path = outputs.place(Path("top-activations"), layer, "-".join(map(str, alive)))
    if outputs.suffix in RAW:
        write_result(path, _arrays(alive), about)
    else:
        rows = f"crop, {about['rule']} projection, whole picture"
        title = f"{about['model']}, {layer}: what excites each unit most in {len(known.files)} pictures\n{rows}"
        write_result(path, crops_figure(alive, title=title), about)
    if path is not None:
        found = {channel: [_row(crop) for crop in crops] for channel, crops in alive.items()}
        options.tell(json.dumps({"path": str(path), **about, "found": found}) if as_json else str(path))


def _row(crop: Any) -> dict[str, Any]:
    return {"path": str(crop.path), "value": crop.value, "place": list(crop.place), "box": list(crop.box)}


def _arrays(units: dict[int, list]) -> dict[str, Any]:
    import numpy as np

    rows = [(channel, crop) for channel, crops in units.items() for crop in crops]
    return {
        "values": np.array([crop.value for _, crop in rows], dtype=np.float32),
        "channels": np.array([channel for channel, _ in rows]),
        "boxes": np.array([crop.box for _, crop in rows]),
        "paths": np.array([str(crop.path) for _, crop in rows]),
    }
