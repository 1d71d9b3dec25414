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
from .defenses import CAUTIOUS, LossOf, defense_named
from .guard import PATIENCE, holds, trouble
from .schedules import OPTIMIZERS, SCHEDULES
from .scores import Data, quick
from .settings import Settings
from .weights import average_in, in_place_of, perturbed

Watch = Callable[[str, dict[str, Any]], None]
COUNTERS = ("epoch", "batch", "scale", "ramp", "proven", "cautious", "loss_sum", "seen")  # what a run counts with


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
        distributed.begun_alike(network)
        self.mean, self.std = mean.to(self.device), std.to(self.device)
        make = OPTIMIZERS[settings.optimizer]
        self.optimizer = make(network.parameters(), settings.learning_rate, settings.weight_decay)
        self.generator = torch.Generator().manual_seed(settings.seed * 1009 + distributed.rank())
        self.average = copy.deepcopy(network.state_dict()) if settings.average else None
        self.epoch = self.batch = 0
        self.scale = 1.0  # of the learning rate; less after each rollback
        self.ramp = (0.0, settings.warm_up)  # the epoch in which eps begins to grow, and over how many
        self.proven = False  # whether `good` is a network that holds, not the fresh one
        self.cautious = False  # whether it was rolled back
        self.loss_sum = self.seen = 0.0
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
        # A checkpoint is read onto the CPU.
        self.average = taken["average"] and {name: value.to(self.device) for name, value in taken["average"].items()}
        self.memory = {name: value.to(self.device) for name, value in taken["memory"].items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, in types that are read back without unpickling code."""
        counters = {name: getattr(self, name) for name in COUNTERS}
        random = distributed.gathered(checkpoint.random_states(self.generator))
        memories = distributed.gathered({name: value.cpu() for name, value in self.memory.items()})
        return {
            "settings": self.settings.as_dict(),
            "now": self.snapshot(),
            "good": self.good,
            "history": self.history,
            "random": random,
            "memories": memories,
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
        self.restore({**state["now"], "memory": state["memories"][distributed.rank()]})
        self.good, self.history = state["good"], list(state["history"])
        for name in COUNTERS:
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
    with _until_interrupted() as interrupted:
        while run.epoch < settings.epochs and not _tired(run):
            began = time.perf_counter()
            for _ in _epoch(run, data, watch):
                if distributed.anywhere(interrupted()):
                    _save(last, run, head)
                    raise KeyboardInterrupt
            row = _validated(run, validation, time.perf_counter() - began)
            _judge(run, row, watch)
            best = not row.get("trouble") and _worth(run, row) >= max(
                (_worth(run, epoch) for epoch in run.history[:-1] if not epoch.get("trouble")), default=0
            )
            if best:
                _save(folder / "best.pt", run, head)
            _save(last, run, head)
            watch("epoch", row)
            if distributed.anywhere(interrupted()):
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
        past = run.epoch + number / len(batches)
        for group in run.optimizer.param_groups:
            group["lr"] = settings.learning_rate * SCHEDULES[settings.schedule](past / settings.epochs) * run.scale
        begin, length = run.ramp
        eps = settings.eps * (min(1.0, (past - begin) / length) if length else 1.0)
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
            **(settings.options | (CAUTIOUS.get(settings.defense, {}) if run.cautious else {})),
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
    distributed.averaged(run.network.buffers())
    if run.average is not None:
        distributed.averaged(run.average[name] for name, _ in run.network.named_buffers() if name in run.average)
    run.network.eval()
    settings = run.settings
    with in_place_of(run.network, run.average), warnings.catch_warnings():
        warnings.simplefilter("ignore", GradientWarning)
        found = quick(run.model, validation, settings.eps, device=run.device, batch_size=settings.batch_size)
    row = {"epoch": run.epoch + 1, "loss": run.loss_sum / max(run.seen, 1), **found, "seconds": round(seconds, 2)}
    row["rate"] = run.optimizer.param_groups[0]["lr"]
    run.loss_sum = run.seen = 0.0
    return row


def _judge(run: Run, row: dict[str, Any], watch: Watch) -> None:
    """Note the epoch; where it went wrong, go back to the last good one.

    From there on the learning rate is half of what it was. Where no epoch was any good, the network
    begins afresh instead, and eps grows from nothing over a fifth of what is left. In both cases single
    steps begin at random from then on.
    """
    run.history.append(row)
    run.epoch += 1
    settings, defended = run.settings, run.settings.defense != "none"
    patience = min(PATIENCE, max(3, settings.epochs // 4))
    wrong = trouble(run.history, run.classes, defended=defended, patience=patience)
    if wrong is None:
        if holds(row, run.classes, defended=defended):
            run.good, run.proven = run.snapshot(), True
        return
    row["trouble"], remedy = wrong, "left alone, as asked"
    if settings.guard:
        run.restore(run.good)
        run.cautious = True
        if run.proven:
            remedy = "back to the last good epoch, with half the learning rate"
            run.scale /= 2
        else:
            remedy = "begun afresh, with eps growing from nothing"
            run.ramp = float(run.epoch), max(settings.warm_up, (settings.epochs - run.epoch) / 5)
    watch("trouble", {**row, "remedy": remedy})


def _worth(run: Run, epoch: dict[str, Any]) -> float:
    """By what the best epoch is picked: accuracy under PGD; without a defense, on clean pictures."""
    return epoch["clean" if run.settings.defense == "none" else "pgd"]


def _tired(run: Run) -> bool:
    """Whether validation has not become better for so many epochs."""
    worth, patience = [_worth(run, epoch) for epoch in run.history], run.settings.patience
    # As long as nothing withstands, training has not begun to pay, as while eps grows.
    if patience is None or not any(worth):
        return False
    return len(worth) - 1 - worth.index(max(worth)) >= patience


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
