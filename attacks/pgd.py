"""Projected gradient descent (Madry et al. 2018, https://arxiv.org/abs/1706.06083)."""

import torch
from torch import Tensor

from .core.active_batch import run_until_done
from .core.ascent import Ascent, AscentSamples, labels_at_first, step_sizes
from .core.ball import Ball
from .core.contract import attack
from .core.losses import Loss, objective
from .core.model import Model
from .core.seeds import Noise, Seed


@attack
def pgd(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    step_size: float | Tensor | None = None,
    steps: int = 40,
    random_start: bool = True,
    restarts: int = 1,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    stop_when_fooled: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
    start: Tensor | None = None,
) -> Tensor:
    """Steps along the gradient, each projected back into the ball.

    A step has the length ``step_size`` and the steepest direction of the norm: for Linf the gradient's sign, for L2 the
    gradient's direction, for L1 the signs of its steepest hundredth. It is followed by a projection onto the ball and
    the box (section 2.1, eq. 1).

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: the largest change, in the norm: one for all samples, or (N,); by default 8/255 in Linf, and in L2 two
            levels of each value (3 for 224 x 224 pixels in colour); in L1 it grows with the side, to 84.
        norm: what eps bounds: "Linf" each value, "L2" the root of the sum of squares, "L1" the sum of sizes, and "L0"
            how many values change.
        step_size: length of a step; by default ``2.5 * eps / steps``, as in the authors' experiments.
        steps: number of steps from each start.
        random_start: whether to start at a random point within eps.
        restarts: number of starts; for every sample, a point that fools is kept.
        loss: what is raised: "cross_entropy", "margin", "dlr" or a function of logits and labels.
        targeted: whether the labels are the classes to reach.
        stop_when_fooled: whether a sample is finished as soon as it is fooled.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.
        seed: of random starts: one for all samples, one for each, or a generator.
        start: (N, ...) where the first start is, in place of a random point or the images.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_at_first(model, images, labels, targeted, elsewhere=random_start or start is not None)
    # The eps of L0 is a number of values, not a length.
    default = torch.ones_like(ball.eps) if ball.norm == "L0" else ball.eps * 2.5 / steps
    ascent = Ascent(
        model=model,
        objective=objective(loss, targeted),
        steps=steps,
        random_start=random_start,
        restarts=restarts,
        targeted=targeted,
        stop_when_fooled=stop_when_fooled,
    )
    lengths = step_sizes(ball, step_size, default)
    samples = AscentSamples(ball, labels, Noise.of(seed, images), lengths, start)
    return run_until_done(ascent, samples, batch_size=batch_size)
