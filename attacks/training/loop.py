"""The one loop that trains with every defense."""

import time
from pathlib import Path
from typing import Any

from .. import distributed
from ..errors import AttackError
from . import checkpoint
from .interrupts import until_interrupted
from .run import Run
from .scores import Data
from .steps import Watch, epoch
from .validation import judge, tired, validated, worth


def train(
    run: Run,
    data: Data,
    validation: Data,
    folder: Path,
    *,
    head: dict[str, Any] | None = None,
    resume: bool = False,
    watch: Watch | None = None,
) -> list[dict[str, Any]]:
    """Train a network, epoch by epoch, and keep the best and the last.

    Args:
        run: the network and the choices.
        data: to train on.
        validation: held out of it: it picks the best epoch and tells when something goes wrong.
        folder: for ``last.pt``, from which a killed run goes on exactly, and ``best.pt``.
        head: what the files say besides, such as how the network is built.
        resume: whether to go on from ``last.pt``.
        watch: is told of what happens: "batch", "epoch" or "trouble", and its numbers; with "trouble" also
            what was done about it, the "remedy".

    Returns:
        A row for each epoch: losses and accuracies.

    Raises:
        AttackError: a checkpoint that does not fit, or one in the way.
        KeyboardInterrupt: after Ctrl-C, once ``last.pt`` is written.
    """
    last = folder / "last.pt"
    watch = watch or (lambda kind, numbers: None)
    if resume:
        run.resume(checkpoint.read(last)["training"])
    elif last.exists():
        raise AttackError(f"{last} is there already; go on with --resume, or choose another folder")
    settings = run.settings
    with until_interrupted() as interrupted:
        while run.epoch < settings.epochs and not tired(run):
            began = time.perf_counter()
            for _ in epoch(run, data, watch):
                if distributed.anywhere(interrupted()):
                    _save(last, run, head)
                    raise KeyboardInterrupt
            row = validated(run, validation, time.perf_counter() - began)
            judge(run, row, watch)
            best = not row.get("trouble") and worth(run, row) >= max(
                (worth(run, other) for other in run.history[:-1] if not other.get("trouble")), default=0
            )
            if best:
                _save(folder / "best.pt", run, head)
            _save(last, run, head)
            watch("epoch", row)
            if distributed.anywhere(interrupted()):
                raise KeyboardInterrupt
    return run.history


def _save(path: Path, run: Run, head: dict[str, Any] | None) -> None:
    state = run.state()  # all processes take part
    if distributed.rank() == 0:
        weights = run.average if run.average is not None else run.network.state_dict()
        content = {**(head or {}), "state": {name: value.cpu().clone() for name, value in weights.items()}}
        checkpoint.write(path, {**content, "training": state})
