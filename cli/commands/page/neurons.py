"""Units: which of them fire at a place, what excites one most in the data set, and its picture drawn live."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, error_line

from ...job.provenance import provenance
from ...job.results import Outputs, encoded, slug
from ...job.sources import Source, find_pictures
from ..top_activations import data_set, index_file, scanned
from .frames import Frames, inline
from .gallery import Picture
from .look import Asked, map_of
from .studio import File, Said, Studio, address, as_chosen, safe
from .worker import LATER, Event, Ticket

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from interpret.units.index import Index

MOST = 12  # units that are listed of a place
CROPS = 9
SIDE = 224  # pixels of a crop's longer side


def at_place(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """The units of a layer that fire most at a place of a picture."""
    picture = studio.gallery.find(chosen.get("picture", ""))
    layer = _layer(studio, chosen)
    maps = _maps(studio, picture, layer)
    row, column = _place(studio, picture, chosen.get("place", "0.5,0.5"), maps.shape[-2:])
    values, channels = maps[0, :, row, column].topk(min(MOST, maps.shape[1]))
    found = [
        {
            "channel": channel,
            "value": value,
            "share": value / float(maps[0, channel].max()),
            "unit": f"{layer}:{channel}@{row},{column}",
        }
        for channel, value in zip(channels.tolist(), values.tolist(), strict=True)
        if value > 0
    ]
    rows, columns = maps.shape[-2:]
    yield "units", {"layer": layer, "row": row, "column": column, "rows": rows, "columns": columns, "found": found}


def unit(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """The strongest crops of one unit in the data set, what excited it here, and what excited it in each crop."""
    layer, channel = _layer(studio, chosen), _channel(chosen)
    index = _index(studio, layer, channel)
    yield (
        "crops",
        studio.made.get(("crops", layer, channel), lambda: _crops(studio, index, channel), lambda made: 99_999),
    )
    if chosen.get("at"):
        picture = studio.gallery.find(chosen.get("picture", ""))
        name = f"{layer}:{channel}@{chosen['at']}"
        yield "map", map_of(studio, picture, Asked("guided_backprop", unit=safe(name))).about
    yield LATER
    for number, drawn in _patterns(studio, index, channel):
        yield "pattern", {"number": number, "src": drawn}


def draw(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """The picture that excites a unit most, drawn step by step."""
    text = f"{_layer(studio, chosen)}:{_channel(chosen)}"
    key = "visualize", text
    kept = studio.files.find(address(key))
    if kept is None:
        kept = _drawn(studio, text, ticket)
        studio.keep_file(key, kept)
    line = studio.line("visualize", text)
    yield "file", {"file": f"/file/{address(key)}", "name": kept.name, "command": line, **kept.about}


def _drawn(studio: Studio, text: str, ticket: Ticket) -> File:
    from interpret.drawing.expressions import objective_of
    from interpret.images.files import in_colour, to_pil

    from ..visualize.command import figure_of
    from ..visualize.job import Visualizer, check

    choices = studio.read("visualize", text)["choices"]
    objective = objective_of(text, studio.classifier)
    check(studio.classifier, objective)
    visualizer = Visualizer(studio.classifier, choices, Said(), Frames(ticket))
    visualizer.draw(text, objective)
    told = {**choices.as_dict(), "beside": None}
    about = provenance("visualize", studio.model, studio.classifier, what=[text], options=told)
    figure, about = figure_of(visualizer, {}, about)
    name = Outputs(None, [Source("drawn", None, Path("drawn"))]).place(Path(slug(text)[:80]), "visualize").name
    picture = to_pil(in_colour(visualizer.done[0].images[:1]).cpu())
    return File(name, encoded(".png", figure, about), {"src": inline(picture, 92)})


def _layer(studio: Studio, chosen: Mapping[str, str]) -> str:
    from interpret.network.hooks import find_layer

    layer = safe(chosen.get("layer") or studio.default_layer())
    find_layer(studio.classifier.network, layer)
    return layer


def _channel(chosen: Mapping[str, str]) -> int:
    with as_chosen("the channel"):
        return int(chosen.get("channel", ""))


def _maps(studio: Studio, picture: Picture, layer: str) -> "Tensor":
    """(1, K, u, v) what a layer gives for a picture."""
    import torch

    from interpret.layer_outputs import maps_of
    from interpret.network.hooks import left_as_found

    def make() -> "Tensor":
        with left_as_found(studio.classifier), torch.no_grad():
            return maps_of(studio.classifier.on_inputs(), studio.prepared(picture).inputs, layer).cpu()

    return studio.made.get(("maps", picture.id, picture.version, layer), make, lambda maps: maps.nbytes)


def _place(studio: Studio, picture: Picture, text: str, grid: tuple[int, int]) -> tuple[int, int]:
    """The row and the column of a layer's map over a place, given as shares of the picture's width and height."""
    with as_chosen("the place"):
        x, y = (float(part) for part in text.split(","))
    geometry = studio.prepared(picture).geometry
    left, top, right, bottom = geometry.box
    height, width = geometry.picture
    across, down = (x * width - left) / (right - left), (y * height - top) / (bottom - top)
    if not (0 <= across < 1 and 0 <= down < 1):
        raise InterpretError("the network does not see this place: it crops the middle of a picture")
    return int(down * grid[0]), int(across * grid[1])


def _index(studio: Studio, layer: str, channel: int) -> "Index":
    from interpret.layer_outputs import check_channels

    def make() -> "Index":
        words = data_set(studio.data)
        file, sources = index_file(studio.classifier, layer, words), find_pictures(words, studio.recursive)
        asked = {"file": file, "most": CROPS, "messages": _Patient()}
        return scanned(studio.classifier, sources, layer, [channel], **asked)[1]

    index = studio.made.get(("index", layer), make, lambda made: made.values.nbytes * 6)
    check_channels([channel], len(index.values), layer)
    return index


class _Patient(Said):
    """Passes over pictures of the data set that cannot be read."""

    def failure(self, shown: str, error: Exception) -> None:
        self.note(f"{shown}: {error_line(error)}")


def _crops(studio: Studio, index: "Index", channel: int) -> dict[str, Any]:
    from interpret.figures.units import cut_out
    from interpret.units.top_activations import strongest_crops

    found = strongest_crops(studio.classifier, index, channel, most=CROPS, projected=False)
    layer = index.about["layer"]
    words = ["top-activations", *data_set(studio.data), "--layer", layer, "--channel", str(channel)]
    return {
        "pictures": len(index.files),
        "command": studio.line(*words, *(["-r"] if studio.recursive else [])),
        "crops": [
            {"src": inline(_picture(cut_out(crop))), "value": crop.value, "name": crop.path.stem} for crop in found
        ],
    }


def _patterns(studio: Studio, index: "Index", channel: int) -> Iterator[tuple[int, str]]:
    """The pattern inside each crop that the unit answers to, one after another."""
    from interpret.figures.units import cut_pattern
    from interpret.units.top_activations import crops_of, entries_above_zero

    for number, entry in enumerate(entries_above_zero(index, channel, CROPS)):
        key = "pattern", index.about["layer"], channel, number

        def make(entry: Any = entry) -> str:
            (crop,) = crops_of(studio.classifier, index, channel, [entry])
            return "" if crop.projection is None else inline(_picture(cut_pattern(crop)))

        yield number, studio.made.get(key, make, lambda made: len(made))


def _picture(colours: Any) -> "Image":
    """(h, w, 3) in [0, 1] as a small picture."""
    from interpret.figures.colours import as_picture

    picture = as_picture(colours)
    picture.thumbnail((SIDE, SIDE))
    return picture
