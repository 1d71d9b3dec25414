"""Labelled pictures in batches on the network's input grid, for the commands that evaluate a network."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from interpret.datasets.folders import LabelledFile
from interpret.errors import InterpretError

from ...job.ledger import SharedLedger
from ...job.processes import all_failures, is_first, own_share
from ...options.messages import Messages
from ...options.numbers import Number
from ...options.pictures import batch_option, limit_option, seed_option
from ...options.record import argument, option

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.datasets.batches import Prepared

Made = TypeVar("Made")


@dataclass(frozen=True)
class FolderOptions:
    """A folder of labelled pictures, and how it is looked at."""

    data: str = argument(metavar="FOLDER", type=click.Path())
    limit: int | None = limit_option()
    batch_size: int = batch_option()
    seed: int = seed_option()


def fail_option() -> Any:
    """From which accuracy on the command succeeds."""
    return option("Exit with status 3 if the accuracy is below this.", type=Number(0.0, 100.0), metavar="PERCENT")


@dataclass
class LabelledPictures:
    """Labelled pictures, looked at batch by batch; what fails is reported and passed over."""

    classifier: "Classifier"
    files: list[tuple[LabelledFile, int]]  # with their class indices
    batch_size: int
    messages: Messages
    failed: int = 0

    def each(self, look: "Callable[[list[LabelledFile], Tensor, Tensor], Iterable[Made]]") -> Iterator[Made]:
        """What a function makes of the pictures, in their order, without those that it fails on.

        ``look`` takes files, pictures (n, C, h, w) in [0, 1] on the network's input grid and class indices (n,). Where
        it fails on a batch, it is given each picture alone.
        """
        import torch

        from interpret.datasets.batches import batches, each_alone_on_failure
        from interpret.images.files import read_stored

        device = self.classifier.mean.device

        def run(batch: "Sequence[Prepared]") -> list[Made]:
            images = torch.cat([picture.inputs for picture in batch])
            labels = torch.tensor([picture.item[1] for picture in batch], device=device)
            return list(look([picture.item[0] for picture in batch], images, labels))

        reading = {"read": lambda item: read_stored(item[0].path), "batch_size": self.batch_size}
        for batch in batches(self.files, self.classifier, self._fail, on_grid=True, keep=False, **reading):
            yield from each_alone_on_failure(batch, run, self._fail)

    def _fail(self, item: tuple[LabelledFile, int], error: Exception) -> None:
        self.failed += 1
        self.messages.failure(str(item[0].path), error)


def open_data(data: FolderOptions, classifier: "Classifier", messages: Messages) -> LabelledPictures:
    """The labelled pictures that a command shall look at."""
    from interpret.datasets.folders import labelled_pictures

    files = labelled_pictures(classifier, Path(data.data))
    if data.limit and data.limit < len(files):
        chosen = random.Random(data.seed).sample(range(len(files)), data.limit)
        files = [files[number] for number in sorted(chosen)]
    return LabelledPictures(classifier, files, data.batch_size, messages)


def verdicts_of(
    pictures: LabelledPictures,
    path: Path,
    columns: Sequence[str],
    judge: "Callable[[list[LabelledFile], Tensor, Tensor], Tensor]",
    *,
    run: str,
    resume: bool,
) -> dict[str, list[int]]:
    """Each picture's verdicts, 0 or 1, in the order of the columns, by its name; written into a table as they come.

    ``judge`` takes files, pictures (n, C, h, w) in [0, 1] on the network's input grid and class indices (n,) to
    verdicts (n, columns). Of several processes, each looks at its share of the pictures, and all get the whole table.
    """
    labels = {file.shown: str(label) for file, label in pictures.files}
    ledger = SharedLedger(path, ["file", "label", *columns, "run"], resume=resume, run=run, labels=labels)
    pictures.files = own_share([pair for pair in pictures.files if pair[0].shown not in ledger.done])

    def judged(files: list[LabelledFile], images: "Tensor", labels: "Tensor") -> Iterator[dict[str, Any]]:
        verdicts = judge(files, images, labels).long().tolist()
        for file, label, row in zip(files, labels.tolist(), verdicts, strict=True):
            yield {"file": file.shown, "label": label, **dict(zip(columns, row, strict=True))}

    for row in pictures.each(judged):
        ledger.add([row])
    rows = [row for row in ledger.whole() if row["file"] in labels]
    if not rows:
        raise InterpretError("none of the pictures could be looked at")
    return {row["file"]: [int(row[column]) for column in columns] for row in rows}


def stacked(pictures: LabelledPictures) -> "tuple[Tensor, Tensor]":
    """All pictures that the network takes, (N, C, h, w), and their labels (N,)."""
    import torch

    view = pictures.classifier.on_inputs()

    def usable(_: list[LabelledFile], images: "Tensor", labels: "Tensor") -> "list[tuple[Tensor, Tensor]]":
        view.predict(images)  # too small a picture fails here
        return list(zip(images.split(1), labels.split(1), strict=True))

    found = list(pictures.each(usable))
    if not found:
        raise InterpretError("none of the pictures could be looked at")
    if len({images.shape for images, _ in found}) > 1:
        raise InterpretError("the pictures differ in size; give --input-size")
    images, labels = zip(*found, strict=True)
    return torch.cat(images), torch.cat(labels)


def leave(failed: int, fail_under: float | None = None, share: float = 1.0) -> None:
    """End with the status that tells of a threshold that is missed, or of pictures that failed.

    Of several processes the first does, once all are done: torchrun would end the others.
    """
    all_failures(0)
    if not is_first():
        return
    if fail_under is not None and 100 * share < fail_under:
        raise click.exceptions.Exit(3)
    if failed:
        raise click.exceptions.Exit(1)


def share_of(right: int, count: int) -> dict[str, Any]:
    """How many of how many are right, as a share, with its 95 % interval."""
    from attacks.evaluation.robust_accuracy import interval

    if not count:
        raise InterpretError("none of the pictures could be looked at")
    low, high = interval(right, count)
    return {"share": right / count, "low": low, "high": high, "right": right, "count": count}


def share_in_words(result: dict[str, Any]) -> str:
    """A share as a line of text."""
    interval = f"{100 * result['low']:.1f}-{100 * result['high']:.1f} %"
    return f"{100 * result['share']:5.1f} % ({result['right']} of {result['count']}, 95 % interval {interval})"
