"""What the evaluating commands share: labelled pictures in batches on the network's input grid, and their results."""

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError

from . import options
from .inputs import Source
from .labelled import labelled

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier

data_argument = click.argument("data", metavar="FOLDER", type=click.Path())
limit_option = click.option("--limit", type=click.IntRange(1), help="Look at so many pictures, drawn at random.")
batch_option = click.option(
    "--batch-size", type=click.IntRange(1), default=16, show_default=True, help="Pictures at a time."
)


@dataclass
class Pictures:
    """Labelled pictures, read batch by batch; what cannot be read is reported and passed over."""

    classifier: "Classifier"
    known: list[tuple[Source, int]]
    batch_size: int
    verbose: int = 0
    failed: int = 0

    def batches(self) -> Iterator[tuple[list[Source], "Tensor", "Tensor"]]:
        """Sources, pictures (n, C, h, w) on the network's input grid in [0, 1], and class indices (n,)."""
        from tqdm import tqdm

        waiting: list[tuple[Source, Any, int]] = []
        with tqdm(total=len(self.known), disable=None, leave=False, unit="picture") as bar:
            for source, label in self.known:
                image = self._read(source)
                bar.update()
                if image is None:
                    continue
                if waiting and (len(waiting) == self.batch_size or waiting[0][1].shape != image.shape):
                    yield self._batch(waiting)
                    waiting = []
                waiting.append((source, image, label))
            if waiting:
                yield self._batch(waiting)

    def _batch(self, waiting: list[tuple[Source, "Tensor", int]]) -> tuple[list[Source], "Tensor", "Tensor"]:
        import torch

        sources, images, labels = zip(*waiting, strict=True)
        device = self.classifier.mean.device
        return list(sources), torch.cat(images).to(device), torch.tensor(labels, device=device)

    def _read(self, source: Source) -> "Tensor | None":
        try:
            # Bicubic resizing overshoots; a picture does not.
            return self.classifier.prepare(source.read())[0].clamp(0, 1)
        except (PictureError, RuntimeError) as error:
            self.failed += 1
            options.note_failure(source.shown, error, self.verbose)
            return None


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
        # A killed run may have left half a line, which the next one would be written behind.
        text = self.path.read_bytes()
        self.path.write_bytes(text[: text.rfind(b"\n") + 1])
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
