"""The steps of an epoch."""

import warnings
from collections.abc import Iterator
from contextlib import nullcontext

import torch
from torch import Tensor

from .. import distributed
from ..errors import AttackError, GradientWarning
from .accuracies import Data
from .batch import Batch, LossOf
from .defenses import CAUTIOUS, defense_named
from .events import BatchDone, Watch
from .run import Run
from .samples import labels_of
from .schedules import SCHEDULES
from .weights import perturbed, update_average

SMALLEST_SCALE = 1e-6  # of fp16 losses; gradients that still overflow are not finite at all


def train_epoch(run: Run, data: Data, watch: Watch) -> Iterator[None]:
    """Train on every batch of an epoch; after each one it yields, and the run may be stopped."""
    settings = run.settings
    order = _order(data, torch.Generator().manual_seed(settings.seed * 7919 + run.epoch), settings.balanced)
    batches = [part for part in order.split(settings.batch_size) if len(part) >= 2 * distributed.world()]
    run.network.train()
    for number in range(run.batch, len(batches)):
        loss = _train_batch(run, data, batches[number], run.epoch + number / len(batches))
        run.batch = number + 1
        watch(BatchDone(run.epoch, run.batch, len(batches), loss))
        yield
    run.batch = 0


def _order(data: Data, generator: torch.Generator, balanced: bool) -> Tensor:
    """(N,) the samples of an epoch: each once, or drawn so that every class comes as often."""
    if not balanced:
        return torch.randperm(len(data), generator=generator)
    labels = labels_of(data)
    return torch.multinomial(1 / labels.bincount().double()[labels], len(data), replacement=True, generator=generator)


def _train_batch(run: Run, data: Data, indices: Tensor, time: float) -> float:
    """The last loss of the defense on these samples, of all processes, at a time in epochs."""
    settings = run.settings
    for group in run.optimizer.param_groups:
        group["lr"] = settings.learning_rate * SCHEDULES[settings.schedule](time / settings.epochs) * run.scale
    batch = _batch(run, data, distributed.own(indices), time)
    options = settings.options | (CAUTIOUS.get(settings.defense, {}) if run.cautious else {})
    count = len(batch.labels)
    with warnings.catch_warnings():
        # Where a prediction is right beyond doubt the gradient may vanish; the guard watches what matters.
        warnings.simplefilter("ignore", GradientWarning)
        for loss_of in defense_named(settings.defense)(batch, **options):
            loss = float(_step(run, loss_of, count / len(indices)))
    run.loss_sum += loss * count
    run.seen += count
    return loss


def _batch(run: Run, data: Data, indices: Tensor, time: float) -> Batch:
    begin, length = run.ramp
    images, labels = (part.to(run.device) for part in data.batch(indices))
    return Batch(
        model=run.model,
        attacked=run.attacked if run.settings.attack_in == "train" else run.evaluated,
        images=images if run.augment is None else run.augment(images, run.generator),
        labels=labels,
        eps=run.settings.eps * (min(1.0, (time - begin) / length) if length else 1.0),
        generator=run.generator,
        memory=run.memory,
        smoothing=run.settings.label_smoothing,
    )


def _step(run: Run, loss_of: LossOf, share: float) -> Tensor:
    """One step of the optimizer on one loss, over all processes; none where fp16 gradients overflow in any of them."""
    size, scaler = run.settings.weight_perturbation, run.scaler
    with perturbed(run.network, lambda: scaler.scale(loss_of()), size) if size else nullcontext():
        run.optimizer.zero_grad()
        loss = loss_of()
        if not torch.isfinite(loss):
            raise AttackError(f"the loss is not finite in epoch {run.epoch + 1}; {_remedy(run)}")
        scaler.scale(loss * share).backward()
    gradients = [parameter.grad for parameter in run.network.parameters() if parameter.grad is not None]
    distributed.summed(gradients)
    scaler.step(run.optimizer)  # an overflow in one process has become one in all
    scaler.update()
    if scaler.is_enabled() and scaler.get_scale() < SMALLEST_SCALE:
        raise AttackError(f"no gradient is finite in epoch {run.epoch + 1}; {_remedy(run)}")
    if run.average is not None:
        update_average(run.average, run.network, run.settings.average)
    return loss.detach()


def _remedy(run: Run) -> str:
    return "a smaller learning rate may help" + (", or bf16" if run.scaler.is_enabled() else "")
