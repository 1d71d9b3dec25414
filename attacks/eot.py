"""Expectation over transformation (Athalye et al. 2018, https://arxiv.org/abs/1707.07397)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .core.active_batch import Rows
from .core.ascent import Model, along_steepest, climb, step_lengths
from .core.ball import Ball
from .core.labels import labels_or_predictions
from .core.losses import objective, slope
from .core.seeds import Seed
from .errors import AttackError
from .transforms.random_transforms import ANY_POSE, Transform, followed


def eot(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor = 8 / 255,
    norm: str = "Linf",
    transforms: Sequence[Transform] = ANY_POSE,
    samples: int = 8,
    step_size: float | Tensor | None = None,
    steps: int = 40,
    random_start: bool = False,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """What still fools after random transforms: steps along the mean gradient over them.

    Raised is the mean, over what the transforms make of the picture, of the log-probability that
    the model is fooled (section 2): that of the class wanted, or of any class but the label. Pictures
    stay in a ball instead of the paper's penalty in LAB colours.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1]; most transforms want (N, C, H, W).
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        eps: radius of the ball, one for all or (N,).
        norm: "Linf", "L2" or "L1".
        transforms: what happens to a picture before the model sees it, in order, each drawn anew.
        samples: how many such views a step is averaged over.
        step_size: length of a step; ``2.5 * eps / steps`` by default.
        steps: how many.
        random_start: whether to start from a random point of the ball.
        targeted: whether the labels are the classes wanted.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.
        seed: of the transforms and the start: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    if samples < 1:
        raise AttackError(f"a step is averaged over a sample or more, not {samples}")
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_or_predictions(model, images, labels, targeted)
    ball.step_size = step_lengths(ball, step_size, ball.eps * 2.5 / steps)
    odds = objective("cross_entropy", targeted)

    def look(now: Rows, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # One view after the other: memory does not grow with their number.
        views = [
            slope(
                lambda points: model(followed(points, transforms, now.noise)),
                seen,
                lambda logits: F.logsigmoid(odds(logits, now.labels)),
            )
            for _ in range(samples)
        ]
        logits, values, gradients = zip(*views, strict=True)
        log_probabilities = torch.stack(logits).log_softmax(2).mean(0)
        return log_probabilities, torch.stack(values).mean(0), torch.stack(gradients).mean(0)

    return climb(
        model,
        ball,
        labels,
        along_steepest(norm),
        steps=steps,
        random_start=random_start,
        targeted=targeted,
        batch_size=batch_size,
        seed=seed,
        look=look,
    )
