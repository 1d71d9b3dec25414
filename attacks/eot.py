"""Expectation over transformation (Athalye et al. 2018, https://arxiv.org/abs/1707.07397)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .core.active_batch import run_until_done
from .core.ascent import Ascent, AscentSamples, AscentState, step_sizes
from .core.ball import Ball
from .core.contract import attack
from .core.labels import labels_or_predictions
from .core.losses import objective
from .core.model import Model, value_and_gradient
from .core.seeds import Noise, Seed
from .norm_names import norm_name
from .transforms.random_transforms import ANY_POSE, Transform, apply_transforms


@attack
def eot(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor | None = None,
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
    """Steps along the gradient averaged over random transforms, through which the result still fools.

    What is raised is the mean, over transformed images, of the log-probability that the model is fooled (section 2):
    that of the target, or of any class but the label. Images stay in a ball, in place of the paper's penalty in LAB
    colours.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1]; most transforms require (N, C, H, W).
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: the largest change, in the norm: one for all samples, or (N,); by default 8/255 in Linf, and in L2 two
            levels of each value (3 for 224 x 224 pixels in colour); in L1 it grows with the side, to 84.
        norm: what eps bounds: "Linf" each value, "L2" the root of the sum of squares, "L1" the sum of sizes.
        transforms: applied to an image, in order, before the model sees it; drawn anew each time.
        samples: number of transformed images that a step is averaged over.
        step_size: length of a step; by default ``2.5 * eps / steps``.
        steps: number of steps.
        random_start: whether to start at a random point within eps.
        targeted: whether the labels are the classes to reach.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.
        seed: of the transforms and the start: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm, ("Linf", "L2", "L1"), "EOT")
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_or_predictions(model, images, labels, targeted)
    ascent = _ExpectationAscent(
        model=model,
        objective=objective("cross_entropy", targeted),
        steps=steps,
        random_start=random_start,
        targeted=targeted,
        transforms=transforms,
        samples=samples,
    )
    lengths = step_sizes(ball, step_size, ball.eps * 2.5 / steps)
    each = AscentSamples(ball, labels, Noise.of(seed, images), lengths)
    return run_until_done(ascent, each, batch_size=batch_size)


@dataclass(kw_only=True)
class _ExpectationAscent(Ascent):
    transforms: Sequence[Transform]
    samples: int

    def value_and_gradient(self, state: AscentState, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mean log-probabilities, the mean log-probability of success, and its gradient (section 2)."""
        # One view after the other: memory does not grow with their number.
        views = [self.view(state, points) for _ in range(self.samples)]
        logits, values, gradients = (torch.stack(parts) for parts in zip(*views, strict=True))
        return logits.log_softmax(2).mean(0), values.mean(0), gradients.mean(0)

    def view(self, state: AscentState, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same of one draw of the transforms."""
        return value_and_gradient(
            lambda images: self.model(apply_transforms(images, self.transforms, state.noise)),
            points,
            lambda logits, labels: F.logsigmoid(self.objective(logits, labels)),
            state.labels,
        )
