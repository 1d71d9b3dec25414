"""The results of an explainer command drawn and written, in threads beside the network."""

import errno
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import PictureError

from . import options
from .outputs import RAW, VECTOR, write_result
from .overlapped import in_threads
from .run import Result, Run

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Page:
    """All that a thread needs to draw and write one result."""

    result: Result
    seen: "Tensor | None" = None  # (H, W) booleans
    values: "Tensor | None" = None  # (1, 1 or 3, H, W), what is drawn of the attribution
    limit: float = 0.0
    raw: "dict[str, Any] | None" = None  # arrays by name


def write_all(run: Run, results: Iterable[Result], limit: float | None) -> None:
    """Draw and write results, and say where they are, in their order.

    Args:
        run: whose results they are.
        results: taken one by one, while earlier ones are being written.
        limit: the value that gets the strongest colour; None for each map's own.
    """
    # Matplotlib is not made for threads: one of them at a time, and not this one.
    figures = run.display.view == "side-by-side" or run.outputs.suffix in VECTOR
    workers = 1 if figures else run.settings["workers"]
    waiting: deque[tuple[Page, Future[list[Path]]]] = deque()
    pages = in_threads(lambda page: _written(run, page), _pages(run, results, limit), workers, waiting=waiting)
    try:
        for page, written in pages:
            try:
                _tell(run, page, written.result())
            except PictureError as error:
                if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ENOSPC:
                    raise  # nothing else will fit either
                run.fail(page.result.picture.source, error)
    except KeyboardInterrupt:
        pages.close()
        for page, written in list(waiting)[1:]:  # the first was being told of
            if written.done() and not written.cancelled() and not written.exception():
                _tell(run, page, written.result())
        raise


def _tell(run: Run, page: Page, paths: Sequence[Path]) -> None:
    for path in paths:
        line = json.dumps({"path": str(path), **page.result.about}) if run.settings["as_json"] else str(path)
        options.tell(line)


def _pages(run: Run, results: Iterable[Result], limit: float | None) -> Iterator[Page]:
    for result in results:
        if result.there:
            yield Page(result)
            continue
        attribution = run.attribution(result)
        seen, raw = result.picture.geometry.seen(), None
        if run.outputs.suffix in RAW or run.settings["raw"]:
            raw = {"attribution": attribution[0].numpy(), "seen": seen.numpy()}
        # What PyTorch computes is computed here: in a thread of its own it would start threads again.
        values = run.display.values(attribution)
        strongest = run.display.limit(values[..., seen]) if limit is None else limit
        yield Page(result, seen, values, strongest, raw)


def _written(run: Run, page: Page) -> list[Path]:
    """Where the result of a page now is; nothing where that is standard output."""
    result, path = page.result, page.result.path
    if not result.there:
        if run.outputs.suffix in RAW:
            write_result(path, page.raw, result.about)
        else:
            texts = {
                "title": result.wanted.prediction,
                "caption": f"{run.method.title.split(' (')[0]}: {result.wanted.label}",
                "unit": result.wanted.unit,
            }
            drawn = run.display.draw(result.picture.image, page.values, limit=page.limit, seen=page.seen, **texts)
            write_result(path, drawn, result.about)
            if run.settings["raw"] and path is not None:
                write_result(path.with_suffix(".npz"), page.raw, result.about)
    if path is None:
        return []
    beside = run.settings["raw"] and run.outputs.suffix not in RAW and not result.there
    return [path.with_suffix(".npz"), path] if beside else [path]
