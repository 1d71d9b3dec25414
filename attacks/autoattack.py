"""AutoAttack (Croce and Hein 2020, https://arxiv.org/abs/2003.01690)."""

import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from .apgd import apgd
from .core.active_batch import run_until_done
from .core.ball import Ball
from .core.contract import attack
from .core.labels import labels_or_predictions, still_right
from .core.minimum_norm import MinimumNormState
from .core.model import Model, logits_of
from .core.seeds import Seed, seeds_of
from .fab import FAB
from .norm_names import norm_name
from .square import square

STANDARD = {"steps": 100, "queries": 5000, "target_classes": 9}

log = logging.getLogger(__name__)


@attack
def autoattack(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    steps: int = 100,
    queries: int = 5000,
    target_classes: int = 9,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """The standard ensemble (section 5): APGD on cross-entropy, APGD-T, FAB-T and Square, each on the samples left.

    With fewer than ten classes, the target classes are all the wrong ones; with fewer than four, for which the targeted
    loss is not defined, APGD-T raises the difference of the two logits. Settings below the standard cause a warning.
    How many samples are robust after each attack is logged as information.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes; by default the model's own predictions.
        eps: the largest change, in the norm: one for all samples, or (N,); by default 8/255 in Linf, and in L2 two
            levels of each value (3 for 224 x 224 pixels in colour).
        norm: what eps bounds: "Linf" each value, "L2" the root of the sum of squares.
        steps: number of steps of APGD, and of APGD-T and FAB-T for each target class; 100 is the standard.
        queries: how often Square asks the model; 5,000 is the standard, and 0 leaves it out.
        target_classes: at how many classes APGD-T and FAB-T aim; 9 is the standard.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.
        seed: of everything random: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly: a point that fools; the clean image where it fools by
        itself or nothing does.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm, ("Linf", "L2"), "AutoAttack")
    ball = Ball.around(images, eps, norm, quantize=quantize)
    result = images.clone()
    if not len(images):
        return result
    labels = labels_or_predictions(model, images, labels)
    with torch.no_grad():
        classes = logits_of(model, images[:1]).shape[1]
    _warn_if_less(classes, steps=steps, queries=queries, target_classes=target_classes)
    ensemble = _Ensemble(model, steps, queries, target_classes, batch_size)
    seeds = seeds_of(seed, images)
    robust = ensemble.robust(images, labels).nonzero()[:, 0]
    log.info("clean: %d of %d samples are robust", len(robust), len(images))
    for name, run in ensemble.attacks():
        if not len(robust):
            break
        found = run(ball[robust], labels[robust], seeds[robust.cpu()])
        still_robust = ensemble.robust(found, labels[robust])
        result[robust[~still_robust]] = found[~still_robust]
        robust = robust[still_robust]
        log.info("after %s: %d of %d samples are robust", name, len(robust), len(images))
    return result


@dataclass(frozen=True)
class _Ensemble:
    model: Model
    steps: int
    queries: int
    target_classes: int
    batch_size: int | None

    def attacks(self) -> Iterator[tuple[str, Callable[[Ball, Tensor, Tensor], Tensor]]]:
        """The four attacks in their order, as functions of balls, labels and seeds."""
        yield "APGD-CE", partial(self.apgd, target_classes=0)
        yield "APGD-T", partial(self.apgd, target_classes=self.target_classes)
        yield "FAB-T", self.fab
        if self.queries:
            yield "Square", self.square

    def apgd(self, ball: Ball, labels: Tensor, seeds: Tensor, *, target_classes: int) -> Tensor:
        steps = {"steps": self.steps, "target_classes": target_classes, "stop_when_fooled": True}
        return apgd(self.model, ball.images, labels, seed=seeds, **steps, **self.bound(ball))

    def square(self, ball: Ball, labels: Tensor, seeds: Tensor) -> Tensor:
        return square(self.model, ball.images, labels, queries=self.queries, seed=seeds, **self.bound(ball))

    def fab(self, ball: Ball, labels: Tensor, seeds: Tensor) -> Tensor:
        # What fools between two levels may no longer do so once it is rounded; so the search goes on.
        radius = torch.zeros_like(ball.eps) if ball.quantize else ball.eps
        search = FAB(self.model, ball.norm, self.steps, self.target_classes, radius=radius)
        with torch.no_grad():
            logits = logits_of(self.model, ball.images, self.batch_size)
        samples = MinimumNormState.of(ball.images, labels, logits)
        return ball.quantized(ball.project(run_until_done(search, samples, batch_size=self.batch_size)))

    def bound(self, ball: Ball) -> dict[str, object]:
        """The options of an attack within the balls."""
        return {"eps": ball.eps, "norm": ball.norm, "quantize": ball.quantize, "batch_size": self.batch_size}

    def robust(self, points: Tensor, labels: Tensor) -> Tensor:
        """(n,) booleans: whether the model still predicts the labels."""
        return still_right(self.model, points, labels, self.batch_size)


def _warn_if_less(classes: int, **budget: int) -> None:
    minimum = {**STANDARD, "target_classes": min(STANDARD["target_classes"], classes - 1)}
    less = [f"{name}={budget[name]} instead of {STANDARD[name]}" for name in budget if budget[name] < minimum[name]]
    if classes < 4:
        less.append(f"{classes} classes, for which the targeted loss is not defined")
    if less:
        warnings.warn(f"not the standard AutoAttack: {', '.join(less)}", stacklevel=3)
