"""The momentum iterative method (Dong et al. 2018, https://arxiv.org/abs/1710.06081)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .core.active_batch import run_until_done
from .core.ascent import Ascent, AscentSamples, AscentState, labels_at_first, step_sizes
from .core.ball import Ball
from .core.contract import attack
from .core.losses import Loss, objective
from .core.model import Model
from .core.norms import batch_view, l1, positive
from .core.seeds import Noise, Seed
from .norm_names import norm_name


@attack
def mifgsm(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor | None = None,
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
    """Steps along a decaying sum of gradients, which transfers better to other networks.

    Every gradient enters the sum divided by its L1 norm (eq. 6). The step follows the sign of the sum (eq. 7), or for
    L2 its direction.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: the largest change, in the norm: one for all samples, or (N,); by default 8/255 in Linf, and in L2 two
            levels of each value (3 for 224 x 224 pixels in colour); in L1 it grows with the side, to 84.
        norm: what eps bounds: "Linf" each value, "L2" the root of the sum of squares, "L1" the sum of sizes.
        step_size: length of a step; by default ``eps / steps``, as in the paper.
        steps: number of steps.
        decay: factor of the sum at every step (mu).
        random_start: whether to start at a random point within eps.
        loss: what is raised: "cross_entropy", "margin", "dlr" or a function of logits and labels.
        targeted: whether the labels are the classes to reach.
        stop_when_fooled: whether a sample is finished as soon as it is fooled.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.
        seed: of the random start: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm, ("Linf", "L2", "L1"), "MI-FGSM")
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_at_first(model, images, labels, targeted, elsewhere=random_start)
    ascent = _MomentumAscent(
        model=model,
        objective=objective(loss, targeted),
        steps=steps,
        random_start=random_start,
        targeted=targeted,
        stop_when_fooled=stop_when_fooled,
        decay=decay,
    )
    lengths = step_sizes(ball, step_size, ball.eps / steps)
    samples = AscentSamples(ball, labels, Noise.of(seed, images), lengths)
    return run_until_done(ascent, samples, batch_size=batch_size)


@dataclass
class _MomentumState(AscentState):
    velocity: Tensor  # (n, ...) the decaying sum of gradients


@dataclass(kw_only=True)
class _MomentumAscent(Ascent):
    decay: float  # mu

    def begin(self, samples: AscentSamples) -> _MomentumState:
        state = super().begin(samples)
        return _MomentumState(**vars(state), velocity=torch.zeros_like(state.points))

    def direction(self, state: _MomentumState, gradient: Tensor) -> Tensor:
        share = gradient / positive(batch_view(l1(gradient), gradient))
        state.velocity = self.decay * state.velocity + share  # eq. 6
        return super().direction(state, state.velocity)  # eq. 7
