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
    from matplotlib.figure import Figure

    from attacks.training.events import BatchDone, EpochDone, Trouble
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

    def __call__(self, event: "BatchDone | EpochDone | Trouble") -> None:
        """Show what the loop reports."""
        from attacks.training.events import BatchDone, EpochDone, Trouble

        if self.speaks:
            {BatchDone: self._batch, EpochDone: self._epoch, Trouble: self._trouble}[type(event)](event)

    def _batch(self, event: "BatchDone") -> None:
        from interpret.progress import progress_bar

        done = event.epoch * event.batches + event.batch
        if self.bar is None:
            self.bar = progress_bar(self.choices.epochs * event.batches, "training", "batch")
            self.bar.initial = self.bar.n = done - 1  # of a run that goes on
        self.bar.set_description(f"epoch {event.epoch + 1} of {self.choices.epochs}", refresh=False)
        self.bar.update(done - self.bar.n)

    def _epoch(self, event: "EpochDone") -> None:
        row = event.row
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

    def _trouble(self, event: "Trouble") -> None:
        options.note(f"epoch {event.row['epoch']}: {event.row['trouble']}; {event.remedy}", self.quiet)

    def _write_metrics(self) -> None:
        from interpret.images.files import write_bytes

        table = io.StringIO()
        writer = csv.DictWriter(table, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.run.history)
        write_bytes(self.folder / "metrics.csv", table.getvalue().encode())

    def _draw(self) -> None:
        about = {"command": "train", "data": self.settings["data"], "settings": self.choices.as_dict()}
        title = f"{Path(self.settings['data']).name}: {self.choices.defense}, {radius(self.choices.eps)}"
        write_result(self.folder / "curves.png", curves(self.run.history, title), about)
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


def curves(history: list[dict[str, Any]], title: str) -> "Figure":
    """Accuracies on validation pictures, the loss and the learning rate over the epochs.

    Args:
        history: a row for each epoch, as the loop gives them.
        title: what was trained.

    Returns:
        The figure; epochs that were rolled back are marked.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    for name, shown in NAMES.items():
        above.plot(epochs, [100 * row[name] for row in history], marker=".", label=shown)
    rolled = [row["epoch"] for row in history if row.get("trouble")]
    for axes in (above, below):
        for number, epoch in enumerate(rolled):
            named = {"label": "trouble"} if axes is above and not number else {}
            axes.axvline(epoch, color="tab:red", lw=1, ls=":", **named)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    good = [row for row in history if not row.get("trouble")]
    if good:
        best = max(good, key=lambda row: (row["pgd"], row["epoch"]))
        above.plot(best["epoch"], 100 * best["pgd"], "o", ms=9, mfc="none", color="black", label="best")
    above.set(ylabel="right on validation pictures, %", ylim=(0, 101))
    above.set_title(title, fontsize=10)
    above.legend(fontsize=8, ncols=3)
    below.plot(epochs, [row["loss"] for row in history], marker=".", color="tab:purple")
    below.set_ylabel("loss", color="tab:purple")
    below.set_xlabel("epoch")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    rate = below.twinx()
    rate.plot(epochs, [row["rate"] for row in history], color="tab:gray", lw=1)
    rate.set_ylabel("learning rate", color="tab:gray")
    rate.spines[["top"]].set_visible(False)
    return figure
