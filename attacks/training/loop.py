"""The one loop that trains with every defense."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from .. import distributed
from ..errors import AttackError
from .accuracies import Data
from .events import EpochDone, Watch
from .interrupts import until_interrupted
from .run import Run
from .steps import train_epoch
from .validation import is_best, judge, out_of_patience, validate

# Takes the path of a file, the weights, and the state of the training, which is made of tensors, numbers, strings,
# None, lists and dicts. A killed process must leave no half file.
Save = Callable[[Path, dict[str, Tensor], dict[str, Any]], None]


def train(
    run: Run,
    data: Data,
    validation: Data,
    folder: Path | None,
    *,
    save: Save,
    resume: dict[str, Any] | None = None,
    watch: Watch | None = None,
) -> list[dict[str, Any]]:
    """Train a network, epoch by epoch, and return a row of its loss and accuracies for each.

    The validation data decides which epoch is the best, and shows when something goes wrong. The best epoch is saved as
    ``best.pt`` in the folder; ``last.pt`` is what a killed run goes on from exactly, when ``resume`` is its content,
    whose "training" is the state that ``save`` was given. ``watch`` is called with every event. A checkpoint that does
    not fit or stands in the way is an AttackError; after Ctrl-C, ``last.pt`` is written before the KeyboardInterrupt.
    Without a folder, ``save`` is called all the same and nothing is looked for.
    """
    last, watch = (folder or Path()) / "last.pt", watch or (lambda event: None)
    if resume is not None:
        if "training" not in resume:
            raise AttackError(f"{last} is no checkpoint of a training run; it is left as it is")
        run.resume(resume["training"])
    elif folder is not None and last.exists():
        raise AttackError(f"{last} is there already; go on with --resume, or choose another folder")
    with until_interrupted() as interrupted:
        while run.epoch < run.settings.epochs and not out_of_patience(run):
            began = time.perf_counter()
            for _ in train_epoch(run, data, watch):
                if distributed.any_process(interrupted()):
                    _save(last, run, save)
                    raise KeyboardInterrupt
            row = validate(run, validation, time.perf_counter() - began)
            judge(run, row, watch)
            if is_best(run):
                _save(last.with_name("best.pt"), run, save)
            _save(last, run, save)
            watch(EpochDone(row))
            if distributed.any_process(interrupted()):
                raise KeyboardInterrupt
    return run.history


def _save(path: Path, run: Run, save: Save) -> None:
    state = run.state()  # all processes take part
    if distributed.rank() == 0:
        save(path, run.network.state_dict() if run.average is None else run.average, state)
