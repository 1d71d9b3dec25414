"""What a training run shows while it goes on: a bar, notes, a table and curves of its epochs."""

import csv
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

from . import options
from .outputs import write_result

if TYPE_CHECKING:
    from attacks.training.run import Run
    from attacks.training.settings import Settings

COLUMNS = ("epoch", "loss", "clean", "fgsm", "pgd", "rate", "seconds", "trouble")
NAMES = {"clean": "clean", "fgsm": "FGSM", "pgd": "PGD-10"}
PAUSE = 60.0  # seconds between two drawings of the curves


class Watcher:
    """Is told by the loop what happens, and shows it; of several processes, the first alone does.

    Args:
        folder: of the run.
        choices: of the run.
        settings: the command's parameters.

    Raises:
        InterpretError: a log is asked for whose package is not installed.
    """

    def __init__(self, folder: Path, choices: "Settings", settings: dict[str, Any]) -> None:
        from attacks import distributed

        self.folder, self.choices, self.settings = folder, choices, settings
        self.speaks, self.quiet = distributed.rank() == 0, settings["quiet"]
        self.run: Run | None = None
        self.bar: Any = None
        self.drawn = time.monotonic()
        self.log: Any = None
        self._open_log = _tensorboard() if settings["log"] else None

    @contextmanager
    def watching(self, run: "Run") -> Iterator[None]:
        """A block in which a run is watched; what is written is whole after it, however it ends."""
        self.run = run
        try:
            yield
        finally:
            if self.bar is not None:
                self.bar.close()
            if self.speaks and run.history:
                self._write_metrics()
                self._draw()
            if self.log is not None:
                self.log.close()

    def __call__(self, kind: str, numbers: dict[str, Any]) -> None:
        """Take what the loop tells: "batch", "epoch" or "trouble", and its numbers."""
        if self.speaks:
            {"batch": self._batch, "epoch": self._epoch, "trouble": self._trouble}[kind](numbers)

    def _batch(self, numbers: dict[str, Any]) -> None:
        from interpret.progress import progress_bar

        done = numbers["epoch"] * numbers["batches"] + numbers["batch"]
        if self.bar is None:
            self.bar = progress_bar(self.choices.epochs * numbers["batches"], "training", "batch")
            self.bar.initial = self.bar.n = done - 1  # of a run that goes on
        self.bar.set_description(f"epoch {numbers['epoch'] + 1} of {self.choices.epochs}", refresh=False)
        self.bar.update(done - self.bar.n)

    def _epoch(self, row: dict[str, Any]) -> None:
        said = ", ".join(f"{NAMES[name]} {100 * row[name]:.1f} %" for name in NAMES)
        if self.bar is not None and not self.bar.disable:
            self.bar.set_postfix_str(said)
        else:
            line = (
                f"epoch {row['epoch']} of {self.choices.epochs}: loss {row['loss']:.3g}, {said}, {row['seconds']:g} s"
            )
            options.note(line, self.quiet)
        self._write_metrics()
        if self._open_log is not None:
            self.log = self.log or self._open_log(str(self.folder / "tensorboard"), purge_step=row["epoch"])
            for name in ("loss", "rate", *NAMES):
                self.log.add_scalar(name, row[name], row["epoch"])
        if time.monotonic() - self.drawn > PAUSE:
            self._draw()

    def _trouble(self, row: dict[str, Any]) -> None:
        done = row.get("remedy") or "left alone, as asked"
        options.note(f"epoch {row['epoch']}: {row['trouble']}; {done}", self.quiet)

    def _write_metrics(self) -> None:
        from interpret.images.files import write_bytes

        table = io.StringIO()
        writer = csv.DictWriter(table, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.run.history)
        write_bytes(self.folder / "metrics.csv", table.getvalue().encode())

    def _draw(self) -> None:
        from interpret.figures import training_curves

        about = {"command": "train", "data": self.settings["data"], "settings": self.choices.as_dict()}
        title = f"{Path(self.settings['data']).name}: {self.choices.defense}, {radius(self.choices.eps)}"
        write_result(self.folder / "curves.png", training_curves(self.run.history, title, NAMES), about)
        self.drawn = time.monotonic()


def radius(eps: float) -> str:
    """A radius as people write it: a small one in levels, where these are whole, and else as it is."""
    levels = eps * 255
    return f"eps {levels:.0f}/255" if levels < 33 and abs(levels - round(levels)) < 1e-6 else f"eps {eps:g}"


def _tensorboard() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InterpretError(
            "--log tensorboard needs the package tensorboard: pip install 'interp[tensorboard]'"
        ) from error
    return SummaryWriter
