"""The basic iterative method (Kurakin et al. 2017, https://arxiv.org/abs/1607.02533)."""

from torch import Tensor

from .core.ball import Ball
from .core.contract import attack
from .core.labels import least_likely as least_likely_class
from .core.losses import Loss
from .core.model import Model
from .errors import AttackError
from .pgd import pgd


@attack
def bim(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor = 8 / 255,
    step_size: float | Tensor = 1 / 255,
    steps: int | None = None,
    least_likely: bool = False,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    stop_when_fooled: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """The fast gradient sign method in small steps, from the image itself (section 2.2).

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: the largest change of a value: one for all samples, or (N,).
        step_size: length of a step; by default one level of an 8-bit file, as in the paper.
        steps: number of steps; by default the paper's rule, min(levels + 4, 1.25 levels), for an eps of so many levels.
        least_likely: whether the class that is least likely at first is the one to reach (section 2.3).
        loss: what is raised: "cross_entropy", "margin", "dlr" or a function of logits and labels.
        targeted: whether the labels are the classes to reach.
        stop_when_fooled: whether a sample is finished as soon as it is fooled.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    if least_likely:
        if targeted:
            raise AttackError("the least likely class is a target by itself; leave targeted out")
        labels, targeted = least_likely_class(model, images), True
    if steps is None:
        levels = float(Ball.around(images, eps).eps.max()) * 255
        steps = max(1, round(min(levels + 4, 1.25 * levels)))
    return pgd(
        model,
        images,
        labels,
        eps=eps,
        step_size=step_size,
        steps=steps,
        random_start=False,
        loss=loss,
        targeted=targeted,
        stop_when_fooled=stop_when_fooled,
        quantize=quantize,
        batch_size=batch_size,
    )
