"""AutoAttack (Croce and Hein 2020, https://arxiv.org/abs/2003.01690)."""

import logging
import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .apgd import apgd
from .core.ascent import Model
from .core.ball import Ball
from .core.labels import labels_or_predictions, still_right, wrong_classes
from .core.losses import logits_of
from .core.seeds import Noise, Seed
from .errors import AttackError
from .fab import cross
from .square import square

STANDARD = {"steps": 100, "queries": 5000, "target_classes": 9}

log = logging.getLogger(__name__)


def autoattack(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor = 8 / 255,
    norm: str = "Linf",
    steps: int = 100,
    queries: int = 5000,
    target_classes: int = 9,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """The standard ensemble (section 5): APGD on cross-entropy, APGD-T, FAB-T and Square, each on what still stands.

    With fewer than ten classes, the target classes are all the wrong ones; with fewer than four, where
    the targeted loss is not defined, APGD-T raises the difference of the two logits. What is less than
    the standard says so in a warning. How many samples stand after each attack is logged as information.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes; the model's own predictions by default.
        eps: radius of the ball, one for all or (N,).
        norm: "Linf" or "L2".
        steps: of APGD, and of APGD-T and FAB-T for each target class; 100 is the standard.
        queries: of Square; 5,000 is the standard, and 0 leaves it out.
        target_classes: of APGD-T and FAB-T; 9 is the standard.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.
        seed: of all that is random: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly: what fools, and the clean image where
        nothing does, or nothing needs to.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    if norm not in ("Linf", "L2"):
        raise AttackError(f"AutoAttack knows Linf and L2, not {norm!r}")
    if target_classes < 1 or queries < 0:
        raise AttackError(f"target classes are 1 or more, and queries 0 or more, not {target_classes} and {queries}")
    ball = Ball.around(images, eps, norm, quantize=quantize)
    result = images.clone()
    if not len(images):
        return result
    labels = labels_or_predictions(model, images, labels)
    with torch.no_grad():
        classes = logits_of(model, images[:1]).shape[1]
    _say_if_less(classes, steps=steps, queries=queries, target_classes=target_classes)
    noise = Noise.of(seed, len(images))
    standing = _right(model, images, labels, batch_size)
    log.info("clean: %d of %d samples stand", len(standing), len(images))
    bounded = {"norm": norm, "quantize": quantize, "batch_size": batch_size}
    for name, run in _attacks(steps, queries, target_classes, bounded):
        if not len(standing):
            break
        here = ball[standing]
        found = run(model, here.images, labels[standing], here, noise.seeds[standing.cpu()])
        still = _right(model, found, labels[standing], batch_size)
        fooled = torch.ones_like(standing, dtype=torch.bool).index_fill(0, still, False)
        result[standing[fooled]] = found[fooled]
        standing = standing[still]
        log.info("after %s: %d of %d samples stand", name, len(standing), len(images))
    return result


def _attacks(
    steps: int, queries: int, target_classes: int, bounded: dict[str, object]
) -> Iterator[tuple[str, Callable[..., Tensor]]]:
    """The four in their order: functions of the model, images, labels, balls and seeds."""

    def climbing(kinds: int) -> Callable[..., Tensor]:
        return lambda model, images, labels, ball, seeds: apgd(
            model,
            images,
            labels,
            eps=ball.eps,
            steps=steps,
            target_classes=kinds,
            stop_when_fooled=True,
            seed=seeds,
            **bounded,
        )

    def crossing(model: Model, images: Tensor, labels: Tensor, ball: Ball, seeds: Tensor) -> Tensor:
        with torch.no_grad():
            parts = [logits_of(model, part) for part in images.split(bounded["batch_size"] or len(images))]
        aims = wrong_classes(torch.cat(parts), labels, target_classes)
        # What fools between two levels of the grid may not once rounded; so look for what is nearer still.
        enough = torch.zeros_like(ball.eps) if ball.quantize else ball.eps
        found = cross(
            model, images, labels, aims, enough, norm=ball.norm, steps=steps, batch_size=bounded["batch_size"]
        )
        return ball.snap(ball.project(found))

    def searching(model: Model, images: Tensor, labels: Tensor, ball: Ball, seeds: Tensor) -> Tensor:
        return square(model, images, labels, eps=ball.eps, queries=queries, seed=seeds, **bounded)

    yield "APGD-CE", climbing(0)
    yield "APGD-T", climbing(target_classes)
    yield "FAB-T", crossing
    if queries:
        yield "Square", searching


def _right(model: Model, points: Tensor, labels: Tensor, batch_size: int | None) -> Tensor:
    """The numbers of the samples that the model still sees as their labels."""
    parts = zip(points.split(batch_size or len(points)), labels.split(batch_size or len(points)), strict=True)
    return torch.cat([still_right(model, part, true) for part, true in parts]).nonzero()[:, 0]


def _say_if_less(classes: int, **budget: int) -> None:
    least = {**STANDARD, "target_classes": min(STANDARD["target_classes"], classes - 1)}
    less = [f"{name}={budget[name]} instead of {STANDARD[name]}" for name in budget if budget[name] < least[name]]
    if classes < 4:
        less.append(f"{classes} classes, for which the targeted loss is not defined")
    if less:
        warnings.warn(f"not the standard AutoAttack: {', '.join(less)}", stacklevel=3)
