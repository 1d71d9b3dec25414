"""The steps of an epoch."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from .. import distributed
from ..errors import AttackError, GradientWarning
from .defenses import CAUTIOUS, LossOf, defense_named
from .run import Run
from .schedules import SCHEDULES
from .scores import Data
from .weights import average_in, perturbed

Watch = Callable[[str, dict[str, Any]], None]
SMALLEST_SCALE = 1e-6  # of fp16 losses: gradients that still overflow are none


def epoch(run: Run, data: Data, watch: Watch) -> Iterator[None]:
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
            attacked=run.attacked if settings.attack_in == "train" else run.evaluated,
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
    """One step of the optimiser on one loss, over all processes; none where fp16 gradients overflowed in any."""
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
        average_in(run.average, run.network, run.settings.average)
    return loss.detach()


def _remedy(run: Run) -> str:
    return "a smaller learning rate may help" + (", or bf16" if run.scaler.is_enabled() else "")
