"""Adversarial pictures that survive print and camera (Kurakin et al. 2017, https://arxiv.org/abs/1607.02533)."""

from collections.abc import Sequence

from torch import Tensor

from .core.model import Model
from .core.seeds import Seed
from .eot import eot
from .transforms.random_transforms import PRINT_AND_PHOTOGRAPH, Transform


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
    """The basic iterative method, which sees the picture only as printed, photographed and cut out.

    The paper attacks the picture itself and then prints it (section 3); here the gradient goes
    through a simulation of that, averaged over ``samples`` of it, as in expectation over
    transformation. How many survive, ``destruction_rate`` tells.

    Args:
        model: from images (n, C, H, W) in [0, 1] to logits (n, classes).
        images: (N, C, H, W) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        eps: radius of the Linf ball, one for all or (N,); the paper prints with 8, 16 and more levels.
        step_size: length of a step; ``2.5 * eps / steps`` by default.
        steps: how many.
        samples: how many simulated photographs a step is averaged over.
        transforms: the simulation.
        targeted: whether the labels are the classes wanted.
        quantize: whether results lie on the grid of the 8-bit file that is printed.
        batch_size: how many samples are worked on at a time; all by default.
        seed: of the simulation: one for all samples, one for each, or a generator.

    Returns:
        (N, C, H, W) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
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
