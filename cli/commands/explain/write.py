"""The results of an explainer command drawn and written, in threads beside the network."""

import errno
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.datasets.threads import PIXELS, in_threads
from interpret.errors import PictureError, shortened

from ...job.results import RAW, VECTOR, write_result
from ...options.messages import tell
from .job import Explaining, Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image
    from torch import Tensor

    from interpret.figures.display import Display


@dataclass(frozen=True)
class Task:
    """All that a thread needs to draw and write one result."""

    result: Result
    seen: "Tensor | None" = None  # (H, W) booleans
    values: "Tensor | None" = None  # (1, 1 or 3, H, W), what is drawn of the attribution
    limit: float = 0.0
    largest: float = 0.0  # of the values as they are, the one with the largest size
    raw: "dict[str, Any] | None" = None  # arrays by name


def write_all(job: Explaining, as_json: bool) -> None:
    """Draw and write the results of a job, and say where they are, in their order.

    Later results are made while earlier ones are being written.
    """
    display = job.display.of(job.method.name)
    results, limit = job.results(), None
    if display.scale == "shared":
        results = list(results)
        limit = _shared_limit(job, display, results)
    # Matplotlib is not made for threads: one of them at a time, and not this one.
    figures = display.view == "side-by-side" or job.display.caption or job.outputs.suffix in VECTOR
    workers = 1 if figures else job.maps.workers
    waiting: deque[tuple[Task, Future[list[Path]]]] = deque()
    counts = {False: 0, True: 0}  # of results, by whether they existed
    tasks = _tasks(job, display, results, limit)
    large = _Largest(tasks)
    written = in_threads(
        lambda task: _write(job, display, task), large, workers, waiting=waiting, ahead=lambda: PIXELS // large.pixels
    )
    try:
        for task, writing in written:
            try:
                _tell(task, writing.result(), as_json)
                counts[task.result.exists] += 1
            except PictureError as error:
                if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ENOSPC:
                    raise  # nothing else will fit either
                job.fail(task.result.source, error)
    except KeyboardInterrupt:
        written.close()
        for task, writing in list(waiting)[1:]:  # the first was being told of
            if writing.done() and not writing.cancelled() and not writing.exception():
                _tell(task, writing.result(), as_json)
        raise
    if len(job.work) > 1:
        job.messages.summary(counts[False], counts[True], job.failed)


class _Largest:
    """Tasks, and how many pixels the largest so far has: those of large pictures must not come together."""

    def __init__(self, tasks: Iterator[Task]) -> None:
        self.tasks, self.pixels = tasks, 1

    def __iter__(self) -> Iterator[Task]:
        for task in self.tasks:
            self.pixels = max(self.pixels, 0 if task.values is None else task.values[0, 0].numel())
            yield task


def _shared_limit(job: Explaining, display: "Display", results: Sequence[Result]) -> float:
    """The value that gets the strongest colour in all maps: the largest where the network saw something."""
    if not results:
        return 0.0
    parts = (result.picture.geometry.part_seen(display.values(job.attribution(result))) for result in results)
    return display.limit(*parts)


def _tell(task: Task, paths: Sequence[Path], as_json: bool) -> None:
    for path in paths:
        tell(json.dumps({"path": str(path), **task.result.about}) if as_json else str(path))


def _tasks(job: Explaining, display: "Display", results: Iterable[Result], limit: float | None) -> Iterator[Task]:
    for result in results:
        yield Task(result) if result.exists else task_of(job, display, result, limit)


def task_of(job: Explaining, display: "Display", result: Result, limit: float | None = None) -> Task:
    """What is needed to draw and write a result; ``limit`` gets the strongest colour, by default its own largest."""
    from interpret.figures.overlays import largest_of

    geometry, attribution, raw = result.picture.geometry, job.attribution(result), None
    seen = geometry.seen()
    if job.outputs.suffix in RAW or job.maps.raw:
        raw = {"attribution": attribution[0].numpy(), "seen": seen.numpy()}
    # What PyTorch computes is computed here: in a thread of its own it would start threads again.
    sharp = replace(display, blur=0.0).values(attribution)
    largest = largest_of(geometry.part_seen(sharp))
    values = display.values(attribution) if display.blur else sharp
    strongest = display.limit(geometry.part_seen(values)) if limit is None else limit
    return Task(result, seen, values, strongest, largest, raw)


def drawn(job: Explaining, display: "Display", task: Task) -> "Image | Figure":
    """The picture of a map, or a figure with what it is."""
    from interpret.explainers import title_of, unit_of
    from interpret.figures.panels import captioned, stamped

    score, picture = task.result.score, task.result.picture.stored
    unit = unit_of(job.method.name, score.unit, average=job.method_options.get("average", "plain"))
    lines = [f"{title_of(job.method.name)}: {shortened(score.shown or score.label)}", f"largest {task.largest:.3g}"]
    if display.blur:
        lines[1] += ", blurred to be seen"
    if display.view == "side-by-side":
        title = f"prediction: {score.prediction}" if score.prediction else ""
        texts = {"title": title, "caption": "\n".join(lines), "unit": shortened(unit)}
        return display.draw(picture, task.values, limit=task.limit, seen=task.seen, **texts)
    shown = display.draw(picture, task.values, limit=task.limit, seen=task.seen)
    if job.display.caption:
        return captioned(shown, [lines[0], f"{lines[1]} ({unit})"])
    return stamped(shown, f"absent: {score.shown.rsplit(' ', 1)[1]}") if score.absent else shown


def _write(job: Explaining, display: "Display", task: Task) -> list[Path]:
    """Where the result of a task now is; nothing where that is standard output."""
    result, path = task.result, task.result.path
    if not result.exists:
        if job.outputs.suffix in RAW:
            write_result(path, task.raw, result.about)
        else:
            write_result(path, drawn(job, display, task), result.about)
            if job.maps.raw and path is not None:
                write_result(path.with_suffix(".npz"), task.raw, result.about)
    if path is None:
        return []
    beside = job.maps.raw and job.outputs.suffix not in RAW and not result.exists
    return [path.with_suffix(".npz"), path] if beside else [path]
