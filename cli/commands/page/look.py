"""Look: what the network sees in a picture, and maps of several methods, each with its verdict."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, error_line
from interpret.explainers import EXPLAINERS

from ...options.types import dashed
from ..explain.command import job_of
from ..explain.write import drawn, task_of
from ..report.shell_lines import class_word
from .gallery import Picture
from .snippets import python_lines
from .studio import File, Said, Studio, address, safe
from .worker import LATER, Event, Ticket, sentence

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ..explain.job import Explaining, Result

MOST_METHODS = 6
SHARPEST = 512  # values along the longer side of what the pointer reads


@dataclass(frozen=True)
class Asked:
    """A map that the page asks for, as it is chosen there; what is empty is as usual."""

    method: str
    query: str = ""  # the class
    versus: str = ""
    layer: str = ""
    unit: str = ""
    opacity: str = ""

    def plain(self, picture: Picture) -> list[str]:
        """The words of the command without those that only say how it looks."""
        words = [dashed(self.method), picture.shown]
        for flag, value in (("-c", self.query), ("--unit", self.unit), ("--versus", self.versus)):
            words += [flag, safe(value)] if value else []
        return [*words, "--layer", safe(self.layer)] if self.layer else words

    def words(self, picture: Picture) -> list[str]:
        """All words of the command, but for the network's."""
        return [*self.plain(picture), *(["--opacity", safe(self.opacity)] if self.opacity else [])]


def look(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """Predictions, then a map for each method, then the verdict on each."""
    picture = studio.gallery.find(chosen.get("picture", ""))
    yield "picture", seen_part(studio, picture)
    yield "predictions", [shown_class(studio, row) for row in studio.predictions(picture)]
    made = []
    for asked in asked_for(chosen):
        try:
            file = map_of(studio, picture, asked)
        except Exception as error:  # the other methods may still explain it
            yield "failed", {"method": asked.method, "text": sentence(error)}
        else:
            made.append(asked)
            yield "map", file.about
    yield LATER
    for asked in made:
        yield from verdicts(studio, picture, asked)


def asked_for(chosen: Mapping[str, str]) -> list[Asked]:
    """The maps that the page asks for."""
    names = dict.fromkeys(filter(None, chosen.get("methods", "gradcam").replace("-", "_").split(",")))
    for name in names:
        if name not in EXPLAINERS:
            raise InterpretError(f"there is no method {name[:40]!r}")
    if not 1 <= len(names) <= MOST_METHODS:
        raise InterpretError(f"choose from one to {MOST_METHODS} methods")
    given = {key: chosen.get(key, "") for key in ("versus", "unit", "opacity")}
    layer = chosen.get("layer", "")
    return [
        Asked(name, query=chosen.get("class", ""), layer=layer if layer and takes_layer(name) else "", **given)
        for name in names
    ]


def takes_layer(method: str) -> bool:
    """Whether a method looks at one layer."""
    from ...options.signature import explainer_method

    return explainer_method(method).option("layer") is not None


def seen_part(studio: Studio, picture: Picture) -> dict[str, Any]:
    """The picture's size, and the box that the network sees of it, as shares."""
    geometry = studio.prepared(picture).geometry
    left, top, right, bottom = geometry.box
    height, width = geometry.picture
    box = [left / width, top / height, right / width, bottom / height]
    return {"id": picture.id, "name": picture.shown, "width": width, "height": height, "box": box}


def shown_class(studio: Studio, row: Mapping[str, Any]) -> dict[str, Any]:
    """A prediction, with the word that means its class alone."""
    return {**row, "word": class_word(studio.classifier.labels, row["index"])}


def map_of(studio: Studio, picture: Picture, asked: Asked) -> File:
    """The file that the command writes for a picture, with what the page is told beside it."""
    words = asked.words(picture)
    key = "map", picture.id, picture.version, *words
    kept = studio.files.find(address(key))
    if kept is None:
        kept = _made(studio, picture, asked, key)
        studio.keep_file(key, kept)
    return kept


def result_of(studio: Studio, picture: Picture, asked: Asked) -> "tuple[Explaining, Result, list[str]]":
    """The command at work, its result, and what it said; the result alone is kept."""
    said = Said()
    job = _job(studio, picture, asked, said)

    def make() -> "tuple[Result, list[str]]":
        if not (found := list(job.results())):
            raise InterpretError("this picture cannot be explained")
        return found[0], said.lines

    key = "result", picture.id, picture.version, *asked.plain(picture)
    result, lines = studio.made.get(key, make, lambda made: made[0].map.nbytes + made[0].picture.inputs.nbytes)
    # It may have been made to look different.
    return job, replace(result, about={**result.about, "display": job.about["display"]}), lines


def _job(studio: Studio, picture: Picture, asked: Asked, said: Said) -> "Explaining":
    from ...options.signature import explainer_method

    method, values = explainer_method(asked.method), studio.read(*asked.words(picture))
    values.update(messages=said, model=studio.model)
    del values["pictures"], values["as_json"]
    if method.option("seed"):
        values["chosen"]["seed"] = values["maps"].seed
    return job_of(method, [picture], studio.classifier, studio.outputs(picture), **values)


def _made(studio: Studio, picture: Picture, asked: Asked, key: tuple) -> File:
    from interpret.explainers import title_of, unit_of

    from ...job.results import encoded

    begun = time.perf_counter()
    job, result, lines = result_of(studio, picture, asked)
    display = job.display.of(job.method.name)
    task = task_of(job, display, result)
    content = encoded(".png", drawn(job, display, task), result.about)
    values = _values(job, display, result)
    score = result.score
    name = address(key)
    about = {
        "method": asked.method,
        "title": title_of(asked.method),
        "unit": unit_of(asked.method, score.unit, average=job.method_options.get("average", "plain")),
        "file": f"/file/{name}",
        "values": f"/values/{name}",
        "grid": [values.shape[1], values.shape[0]],
        "name": result.path.name if result.path else "",
        "largest": task.largest,
        "label": score.shown or score.label,
        "layer": result.about["options"].get("layer", ""),
        "notes": lines,
        "seconds": time.perf_counter() - begun,
        "command": studio.line(*asked.words(picture)),
        "python": python_lines(studio, picture, asked.method, result),
    }
    return File(about["name"], content, about, values.tobytes())


def _values(job: "Explaining", display: Any, result: "Result") -> "np.ndarray":
    """(h, w) what the pointer reads: the map's value at each pixel, or of colours the largest, of every n-th pixel."""
    import numpy as np

    attribution = job.attribution(result)
    sharp = replace(display, blur=0.0).values(attribution)[0]
    every = max(1, -(-max(sharp.shape[-2:]) // SHARPEST))
    sharp = sharp[:, ::every, ::every].numpy()
    largest = np.abs(sharp).argmax(0)[None]
    return np.take_along_axis(sharp, largest, 0)[0].astype("<f4")


def verdicts(studio: Studio, picture: Picture, asked: Asked) -> Iterator[Event]:
    """How far to believe a map: its areas beside those of maps that know nothing, and then the sanity check."""
    _, result, _ = result_of(studio, picture, asked)
    try:
        yield "areas", {"method": asked.method, **_areas(studio, picture, asked, result)}
        yield "sanity", {"method": asked.method, **_sanity(studio, picture, asked, result)}
    except (InterpretError, RuntimeError) as error:  # a score that has no areas; the map stands
        yield "unjudged", {"method": asked.method, "text": error_line(error)}


def _areas(studio: Studio, picture: Picture, asked: Asked, result: "Result") -> dict[str, Any]:
    from interpret.explainers import explainer_named
    from interpret.explainers.aggregation import importance
    from interpret.faithfulness.baseline_maps import centred_gaussian, random_map
    from interpret.report.findings import areas_of

    view = studio.classifier.on_inputs()
    inputs = studio.prepared(picture).inputs.clamp(0, 1)  # bicubic resizing overshoots; a picture does not
    target, plain = result.score.target, asked.plain(picture)[1:]
    kept = picture.id, picture.version

    def measured(ranking: "Tensor", *key: str) -> list[float]:
        def make() -> list[float]:
            found = areas_of(view, inputs, target, ranking)
            return [found.deletion, found.insertion]

        return studio.made.get(("areas", *kept, *key), make, lambda found: 200)

    laid = explainer_named(asked.method).lay_back(view.prepare(inputs)[1], result.map).detach()
    lost, found = measured(importance(laid, asked.method), *asked.plain(picture))
    floors = [
        measured(floor, name, *plain) for name, floor in (("r", random_map(inputs, 0)), ("c", centred_gaussian(inputs)))
    ]
    better = all(lost < floor[0] for floor in floors), all(found > floor[1] for floor in floors)
    return {"deletion": lost, "insertion": found, "beats": better, "floors": floors}


def _sanity(studio: Studio, picture: Picture, asked: Asked, result: "Result") -> dict[str, Any]:
    from interpret.figures.cache import MapStore, user_folder
    from interpret.report.network import checks

    indices = result.score.about.get("indices")
    if not indices:
        raise InterpretError("the sanity check is of classes")
    inputs = studio.prepared(picture).inputs.clamp(0, 1)
    made = checks(studio.classifier, [inputs], [indices[0]], [asked.method], store=MapStore(user_folder()))
    check = next(iter(made))
    return {"passed": check.passed, "likeness": check.likeness, "floor": check.floor, "trouble": check.trouble}
