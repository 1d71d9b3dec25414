"""The one loop that trains with every defense."""

import copy
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import AttackError, GradientWarning
from . import checkpoint, distributed
from .defenses import LossOf, defense_named
from .guard import trouble
from .schedules import OPTIMIZERS, SCHEDULES
from .scores import Data, quick
from .settings import Settings
from .weights import average_in, in_place_of, perturbed

Watch = Callable[[str, dict[str, Any]], None]


class Run:
    """A training run: everything that changes while it goes on, and what a checkpoint keeps of it."""

    def __init__(
        self,
        network: nn.Module,
        settings: Settings,
        *,
        mean: Tensor,
        std: Tensor,
        classes: int,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    ) -> None:
        self.network, self.settings, self.classes, self.augment = network, settings, classes, augment
        self.device = next(network.parameters()).device
        self.mean, self.std = mean.to(self.device), std.to(self.device)
        make = OPTIMIZERS[settings.optimizer]
        self.optimizer = make(network.parameters(), settings.learning_rate, settings.weight_decay)
        self.generator = torch.Generator().manual_seed(settings.seed * 1009 + distributed.rank())
        self.average = copy.deepcopy(network.state_dict()) if settings.average else None
        self.epoch = self.batch = 0
        self.scale = 1.0  # of the learning rate; less after each rollback
        self.loss_sum = self.right = self.seen = 0.0
        self.memory: dict[str, Tensor] = {}
        self.history: list[dict[str, Any]] = []
        self.good = self.snapshot()

    def model(self, images: Tensor) -> Tensor:
        """Logits (n, C) of images (n, ...) in [0, 1]."""
        narrow = self.settings.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16) if narrow else nullcontext():
            return self.network((images - self.mean) / self.std).float()

    def evaluated(self, images: Tensor) -> Tensor:
        """The same of the network in evaluation mode, which is left as it was."""
        modes = [(module, module.training) for module in self.network.modules()]
        self.network.eval()
        try:
            return self.model(images)
        finally:
            for module, training in modes:
                module.training = training

    def snapshot(self) -> dict[str, Any]:
        """A copy of what an epoch may spoil."""
        return copy.deepcopy(
            {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average,
                "memory": self.memory,
            }
        )

    def restore(self, taken: dict[str, Any]) -> None:
        """Go back to a snapshot."""
        taken = copy.deepcopy(taken)
        self.network.load_state_dict(taken["network"])
        self.optimizer.load_state_dict(taken["optimizer"])
        self.average, self.memory = taken["average"], taken["memory"]

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, in types that are read back without unpickling code."""
        counters = {name: getattr(self, name) for name in ("epoch", "batch", "scale", "loss_sum", "right", "seen")}
        random = distributed.gathered(checkpoint.random_states(self.generator))
        return {
            "settings": self.settings.as_dict(),
            "now": self.snapshot(),
            "good": self.good,
            "history": self.history,
            "random": random,
            **counters,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Stand where a checkpoint was written.

        Raises:
            AttackError: the run was begun with other choices.
        """
        differs = self.settings.differing(state["settings"])
        if differs:
            raise AttackError(f"the run was begun with other {', '.join(differs)}; go on with the same, or begin anew")
        if len(state["random"]) != distributed.world():
            raise AttackError(f"the run was begun by {len(state['random'])} processes; go on with as many")
        self.restore(state["now"])
        self.good, self.history = state["good"], list(state["history"])
        for name in ("epoch", "batch", "scale", "loss_sum", "right", "seen"):
            setattr(self, name, state[name])
        checkpoint.restore_random(state["random"][distributed.rank()], self.generator)


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
        watch: is told of what happens: "batch", "epoch" or "trouble", and its numbers.

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
    with _until_interrupted() as interrupted:
        while run.epoch < settings.epochs and not _tired(run.history, settings.patience):
            began = time.perf_counter()
            for _ in _epoch(run, data, watch):
                if interrupted():
                    _save(last, run, head)
                    raise KeyboardInterrupt
            row = _validated(run, validation, time.perf_counter() - began)
            _judge(run, row, watch)
            best = not row.get("trouble") and row["pgd"] >= max(
                (epoch["pgd"] for epoch in run.history[:-1] if not epoch.get("trouble")), default=0
            )
            if best:
                _save(folder / "best.pt", run, head)
            _save(last, run, head)
            watch("epoch", row)
            if interrupted():
                raise KeyboardInterrupt
    return run.history


def _epoch(run: Run, data: Data, watch: Watch) -> Iterator[None]:
    """Train on every batch of an epoch; what is yielded is a moment at which the run may be left."""
    settings, network = run.settings, run.network
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(settings.seed * 7919 + run.epoch))
    batches = [part for part in order.split(settings.batch_size) if len(part) >= 2 * distributed.world()]
    defense = defense_named(settings.defense)
    network.train()
    for number in range(run.batch, len(batches)):
        done = (run.epoch + number / len(batches)) / settings.epochs
        for group in run.optimizer.param_groups:
            group["lr"] = settings.learning_rate * SCHEDULES[settings.schedule](done) * run.scale
        past = run.epoch + number / len(batches)
        eps = settings.eps * (min(1.0, past / settings.warm_up) if settings.warm_up else 1.0)
        images, labels = (part.to(run.device) for part in data.batch(distributed.own(batches[number])))
        if run.augment is not None:
            images = run.augment(images, run.generator)
        losses = defense(
            run.model,
            images,
            labels,
            attacked=run.model if settings.attack_in == "train" else run.evaluated,
            eps=eps,
            generator=run.generator,
            memory=run.memory,
            **settings.options,
        )
        share = len(labels) / len(batches[number])
        with warnings.catch_warnings():
            # Where a sample is right beyond doubt, its gradient may vanish; the guard looks at what matters.
            warnings.simplefilter("ignore", GradientWarning)
            for loss_of in losses:
                loss = _step(run, loss_of, share)
        run.loss_sum += float(loss) * len(labels)
        run.seen += len(labels)
        run.batch = number + 1
        watch("batch", {"epoch": run.epoch, "batch": run.batch, "batches": len(batches), "loss": float(loss)})
        yield
    run.batch = 0


def _step(run: Run, loss_of: LossOf, share: float) -> Tensor:
    """One step of the optimiser on one loss, over all processes."""
    size = run.settings.weight_perturbation
    with perturbed(run.network, loss_of, size) if size else nullcontext():
        run.optimizer.zero_grad()
        loss = loss_of()
        if not torch.isfinite(loss):
            raise AttackError(f"the loss is not finite in epoch {run.epoch + 1}; a smaller learning rate may help")
        (loss * share).backward()
    gradients = [parameter.grad for parameter in run.network.parameters() if parameter.grad is not None]
    distributed.summed(gradients)
    run.optimizer.step()
    if run.average is not None:
        average_in(run.average, run.network, run.settings.average)
    return loss.detach()


def _validated(run: Run, validation: Data, seconds: float) -> dict[str, Any]:
    distributed.averaged(run.network)
    run.network.eval()
    settings = run.settings
    with in_place_of(run.network, run.average), warnings.catch_warnings():
        warnings.simplefilter("ignore", GradientWarning)
        found = quick(run.model, validation, settings.eps, device=run.device, batch_size=settings.batch_size)
    row = {"epoch": run.epoch + 1, "loss": run.loss_sum / max(run.seen, 1), **found, "seconds": round(seconds, 2)}
    row["rate"] = run.optimizer.param_groups[0]["lr"]
    run.loss_sum = run.right = run.seen = 0.0
    return row


def _judge(run: Run, row: dict[str, Any], watch: Watch) -> None:
    """Note the epoch; where it went wrong, go back to the last good one with a smaller step."""
    run.history.append(row)
    run.epoch += 1
    wrong = trouble(run.history, run.classes)
    if wrong is None:
        run.good = run.snapshot()
        return
    row["trouble"] = wrong
    if run.settings.guard:
        run.restore(run.good)
        run.scale /= 2
    watch("trouble", row)


def _tired(history: list[dict[str, Any]], patience: int | None) -> bool:
    """Whether validation has not become better for so many epochs."""
    if patience is None or not history:
        return False
    best = max(range(len(history)), key=lambda number: history[number]["pgd"])
    return len(history) - 1 - best >= patience


def _save(path: Path, run: Run, head: dict[str, Any] | None) -> None:
    state = run.state()  # all processes take part
    if distributed.rank() == 0:
        weights = run.average if run.average is not None else run.network.state_dict()
        content = {**(head or {}), "state": {name: value.cpu().clone() for name, value in weights.items()}}
        checkpoint.write(path, {**content, "training": state})


@contextmanager
def _until_interrupted() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C wait for the end of a batch; the second one does not wait."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
