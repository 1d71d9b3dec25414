"""The momentum iterative method (Dong et al. 2018, https://arxiv.org/abs/1710.06081)."""

import torch
from torch import Tensor

from .core.active_batch import Rows
from .core.ascent import Model, climb, step_lengths
from .core.ball import Ball
from .core.labels import labels_or_predictions
from .core.losses import Loss
from .core.norms import columns, l1, norm_named
from .core.seeds import Seed


def mifgsm(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor = 8 / 255,
    norm: str = "Linf",
    step_size: float | Tensor | None = None,
    steps: int = 10,
    decay: float = 1.0,
    random_start: bool = False,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    stop_when_fooled: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """Steps along a running sum of gradients, which carries over to other networks.

    The sum decays, and every gradient enters it divided by its L1 norm (eq. 6); the step follows
    its sign (eq. 7), or its direction for L2.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        eps: radius of the ball, one for all or (N,).
        norm: "Linf", "L2" or "L1".
        step_size: length of a step; ``eps / steps`` by default, as in the paper.
        steps: how many.
        decay: what is left of the sum at every step (mu).
        random_start: whether to start from a random point of the ball.
        loss: what is raised: "cross_entropy", "margin", "dlr" or a function of logits and labels.
        targeted: whether the labels are the classes wanted.
        stop_when_fooled: whether a sample is left alone once it is fooled.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.
        seed: of the random start: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_or_predictions(model, images, labels, targeted)
    ball.step_size = step_lengths(ball, step_size, ball.eps / steps)
    steepest = norm_named(norm).steepest

    def direction(now: Rows, gradient: Tensor) -> Tensor:
        share = gradient / columns(l1(gradient), gradient).clamp_min(torch.finfo(gradient.dtype).tiny)
        now.velocity = decay * now.velocity + share
        return steepest(now.velocity) * columns(now.ball.step_size, gradient)

    return climb(
        model,
        ball,
        labels,
        direction,
        steps=steps,
        random_start=random_start,
        loss=loss,
        targeted=targeted,
        stop_when_fooled=stop_when_fooled,
        batch_size=batch_size,
        seed=seed,
        columns_of=lambda points: {"velocity": torch.zeros_like(points)},
    )
