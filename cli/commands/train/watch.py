"""What a training run shows while it goes on: a bar, notes, a table and curves of its epochs."""

import csv
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...job.results import write_result
from ...options.messages import Messages
from .choices import TrainOptions
from .tensorboard import TensorBoardLog

if TYPE_CHECKING:
    from attacks.training.events import BatchDone, EpochDone, Trouble
    from attacks.training.run import Run
    from attacks.training.settings import Settings
    from interpret.datasets.dataset import Dataset

COLUMNS = ("epoch", "loss", "clean", "fgsm", "pgd", "rate", "seconds", "trouble")
NAMES = {"clean": "clean", "fgsm": "FGSM", "pgd": "PGD-10"}
PAUSE = 60.0  # seconds between two drawings of the curves


class Watcher:
    """Shows what the loop reports; of several processes, only the first does."""

    def __init__(self, options: TrainOptions, settings: "Settings", messages: Messages) -> None:
        from attacks import distributed

        self.folder, self.data, self.settings, self.messages = options.folder, options.pictures.data, settings, messages
        self.is_first = distributed.rank() == 0
        self.run: Run | None = None
        self.bar: Any = None
        self.drawn = time.monotonic()
        self.log = TensorBoardLog(self.folder / "tensorboard") if options.measure.log else None

    @contextmanager
    def watching(self, run: "Run", validation: "Dataset") -> Iterator[None]:
        """A block in which a run is watched; what is written is whole after it, however it ends."""
        self.run, self.validation = run, validation
        try:
            yield
        finally:
            if self.bar is not None:
                self.bar.close()
            if self.is_first and run.history:
                self._write_metrics()
                self._draw()
            if self.log is not None:
                self.log.close()

    def __call__(self, event: "BatchDone | EpochDone | Trouble") -> None:
        """Show what the loop reports."""
        from attacks.training.events import BatchDone, EpochDone, Trouble

        if self.is_first:
            {BatchDone: self._batch, EpochDone: self._epoch, Trouble: self._trouble}[type(event)](event)

    def _batch(self, event: "BatchDone") -> None:
        from interpret.progress import progress_bar

        done = event.epoch * event.batches + event.batch
        if self.bar is None:
            self.bar = progress_bar(self.settings.epochs * event.batches, "training", "batch")
            self.bar.initial = self.bar.n = done - 1  # of a run that goes on
        self.bar.set_description(f"epoch {event.epoch + 1} of {self.settings.epochs}", refresh=False)
        self.bar.update(done - self.bar.n)

    def _epoch(self, event: "EpochDone") -> None:
        row = event.row
        scores = ", ".join(f"{NAMES[name]} {100 * row[name]:.1f} %" for name in NAMES)
        if self.bar is not None and not self.bar.disable:
            self.bar.set_postfix_str(scores)
        else:
            epoch = f"epoch {row['epoch']} of {self.settings.epochs}"
            self.messages.note(f"{epoch}: loss {row['loss']:.3g}, {scores}, {row['seconds']:g} s")
        self._write_metrics()
        if self.log is not None:
            self.log.epoch(row, ("loss", "rate", *NAMES), self.run, self.validation)
        if time.monotonic() - self.drawn > PAUSE:
            self._draw()

    def _trouble(self, event: "Trouble") -> None:
        self.messages.note(f"epoch {event.row['epoch']}: {event.row['trouble']}; {event.remedy}")

    def _write_metrics(self) -> None:
        from interpret.images.files import write_bytes

        table = io.StringIO()
        writer = csv.DictWriter(table, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.run.history)
        write_bytes(self.folder / "metrics.csv", table.getvalue().encode())

    def _draw(self) -> None:
        from interpret.figures import training_curves

        about = {"command": "train", "data": self.data, "settings": self.settings.as_dict()}
        title = f"{Path(self.data).name}: {self.settings.defense}, {radius_in_words(self.settings.eps)}"
        write_result(self.folder / "curves.png", training_curves(self.run.history, title, NAMES), about)
        self.drawn = time.monotonic()


def radius_in_words(eps: float) -> str:
    """A radius as people write it: a small one in levels, where these are whole, and else as it is."""
    levels = eps * 255
    return f"eps {levels:.0f}/255" if levels < 33 and abs(levels - round(levels)) < 1e-6 else f"eps {eps:g}"
