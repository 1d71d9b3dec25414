"""What the evaluating commands share: labelled pictures in batches on the network's input grid, and their results."""

import csv
import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from interpret.errors import InterpretError

from . import options
from .batches import Picture, batches, tried
from .inputs import Source
from .labelled import labelled
from .together import failures_of_all

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier

Made = TypeVar("Made")

data_argument = click.argument("data", metavar="FOLDER", type=click.Path())
limit_option = click.option("--limit", type=click.IntRange(1), help="Look at so many pictures, drawn at random.")
fail_option = click.option(
    "--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit with status 3 below this accuracy."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")


@dataclass
class Pictures:
    """Labelled pictures, looked at batch by batch; what fails is reported and passed over."""

    classifier: "Classifier"
    known: list[tuple[Source, int]]
    batch_size: int
    verbose: int = 0
    failed: int = 0

    def each(self, look: Callable[[list[Source], "Tensor", "Tensor"], Iterable[Made]]) -> Iterator[Made]:
        """What a function makes of the pictures.

        Args:
            look: from sources, pictures (n, C, h, w) on the network's input grid in [0, 1] and class
                indices (n,) to what it makes of each. Where it fails on a batch, it is given each alone.

        Yields:
            What it made, in the order of the pictures, without those that fail alone too.
        """
        import torch

        device = self.classifier.mean.device

        def run(batch: Sequence[Picture]) -> list[Made]:
            images = torch.cat([picture.inputs for picture in batch])
            labels = torch.tensor([picture.more for picture in batch], device=device)
            return list(look([picture.source for picture in batch], images, labels))

        size = {"batch_size": self.batch_size}
        for batch in batches(self.known, self.classifier, self._fail, on_grid=True, keep=False, **size):
            yield from tried(batch, run, self._fail)

    def _fail(self, source: Source, error: Exception) -> None:
        self.failed += 1
        options.note_failure(source.shown, error, self.verbose)


def open_data(folder: str, classifier: "Classifier", settings: dict[str, Any], seed: int = 0) -> Pictures:
    """The labelled pictures that a command shall look at.

    Args:
        folder: of pictures whose classes can be known.
        classifier: the network.
        settings: a command's parameters: limit, batch_size and verbose.
        seed: of which pictures, where there is a limit.

    Returns:
        The pictures.
    """
    known = labelled(folder, classifier)
    if settings["limit"] and settings["limit"] < len(known):
        chosen = random.Random(seed).sample(range(len(known)), settings["limit"])
        known = [known[number] for number in sorted(chosen)]
    return Pictures(classifier, known, settings["batch_size"], settings["verbose"])


def run_hash(classifier: "Classifier", *chosen: Any) -> str:
    """A short name for all that changes a verdict: weights, preprocessing and the options chosen."""
    from interpret.network.fingerprint import fingerprint

    fit = [classifier.mean.tolist(), classifier.std.tolist(), classifier.input_size, classifier.resize]
    fit += [classifier.interpolation, classifier.precision]
    return hashlib.sha256(f"{fingerprint(classifier.network)} {fit} {chosen}".encode()).hexdigest()[:12]


def share_of(right: int, count: int) -> dict[str, Any]:
    """How many of how many are right, as a share, with its 95 % interval."""
    from attacks.evaluation.robust_accuracy import interval

    if not count:
        raise InterpretError("none of the pictures could be looked at")
    low, high = interval(right, count)
    return {"share": right / count, "low": low, "high": high, "right": right, "count": count}


def said(result: dict[str, Any]) -> str:
    """A share as a line of text."""
    interval = f"{100 * result['low']:.1f}-{100 * result['high']:.1f} %"
    return f"{100 * result['share']:5.1f} % ({result['right']} of {result['count']}, 95 % interval {interval})"


def leave(failed: int, fail_under: float | None, share: float) -> None:
    """End with the status that tells of a threshold that is missed, or of pictures that failed.

    Of several processes the first does, once all are done: torchrun would end the others.
    """
    from attacks import distributed

    failures_of_all(0)
    if distributed.rank():
        return
    if fail_under is not None and 100 * share < fail_under:
        raise click.exceptions.Exit(3)
    if failed:
        raise click.exceptions.Exit(1)


class Ledger:
    """Results picture by picture in a CSV file, from which an interrupted run goes on."""

    def __init__(self, path: Path, columns: Sequence[str], resume: bool, key: Sequence[str] = ("file",)) -> None:
        self.path, self.columns, self.key = path, list(columns), key
        self.rows: dict[str, dict[str, str]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if resume and path.exists():
                self._take_up()
            else:
                self._write("w", [dict(zip(self.columns, self.columns, strict=True))])
        except OSError as error:
            raise InterpretError(f"cannot write {path}: {error.strerror or error}") from error

    def _take_up(self) -> None:
        from interpret.images.files import write_bytes

        # A killed run may have left half a line, which the next one would be written behind.
        text = self.path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1] or (",".join(self.columns) + "\r\n").encode()
        if whole != text:
            write_bytes(self.path, whole)
        with self.path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != self.columns:
                raise InterpretError(f"{self.path} holds other columns; it is from another run. Choose another -o")
            self.rows = {self._named(row): row for row in reader}

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write results, so that they are there whatever happens next."""
        self._write("a", rows)
        for row in rows:
            self.rows[self._named(row)] = {name: str(value) for name, value in row.items()}

    def _named(self, row: dict[str, Any]) -> str:
        return " ".join(str(row[name]) for name in self.key)

    def _write(self, mode: str, rows: Sequence[dict[str, Any]]) -> None:
        with self.path.open(mode, newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns).writerows(rows)
