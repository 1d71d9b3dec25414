"""Adversarial pictures that survive print and camera (Kurakin et al. 2017, https://arxiv.org/abs/1607.02533)."""

from collections.abc import Sequence

from torch import Tensor

from .core.contract import attack
from .core.model import Model
from .core.seeds import Seed
from .eot import eot
from .transforms.random_transforms import PRINT_AND_PHOTOGRAPH, Transform


@attack
def physical(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor = 16 / 255,
    step_size: float | Tensor | None = None,
    steps: int = 40,
    samples: int = 4,
    transforms: Sequence[Transform] = PRINT_AND_PHOTOGRAPH,
    targeted: bool = False,
    quantize: bool = True,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """The basic iterative method, through a simulation of printing, photographing and cutting out.

    The paper attacks the image itself and then prints it (section 3); here the gradient passes through a simulation of
    this, averaged over ``samples`` of it, as in expectation over transformation. How many results survive is measured
    by ``destruction_rate``.

    Args:
        model: from images (n, C, H, W) in [0, 1] to logits (n, classes).
        images: (N, C, H, W) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: the largest change of a value: one for all samples, or (N,); the paper prints with 8, 16 and more levels.
        step_size: length of a step; by default ``2.5 * eps / steps``.
        steps: number of steps.
        samples: number of simulated photographs that a step is averaged over.
        transforms: the simulation.
        targeted: whether the labels are the classes to reach.
        quantize: whether results consist of levels of the 8-bit file that is printed.
        batch_size: how many samples are attacked at a time; by default all.
        seed: of the simulation: one for all samples, one for each, or a generator.

    Returns:
        (N, C, H, W) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    return eot(
        model,
        images,
        labels,
        eps=eps,
        transforms=transforms,
        samples=samples,
        step_size=step_size,
        steps=steps,
        targeted=targeted,
        quantize=quantize,
        batch_size=batch_size,
        seed=seed,
    )
