"""The adversarial patch (Brown et al. 2017, https://arxiv.org/abs/1712.09665)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .core.ascent import Model
from .core.ball import check_images
from .core.labels import labels_or_predictions
from .core.losses import objective, slope
from .core.minibatches import minibatches
from .core.seeds import Noise, Seed
from .transforms.patch_placement import apply_patch, laid, sides
from .transforms.random_transforms import Transform, followed, noise_apart


def patch(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    share: float | tuple[float, float] = 0.25,
    shape: str = "circle",
    degrees: float = 20,
    steps: int = 300,
    pictures: int = 8,
    step_size: float = 0.05,
    smoothness: float = 10.0,
    transforms: Sequence[Transform] = (),
    targeted: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """One patch for all the pictures, laid on each at a place of its own.

    The patch itself is what ``train_patch`` gives, whose options these are; ``apply_patch`` lays it on
    other pictures.

    Returns:
        (N, C, H, W) in [0, 1]: the images outside the patch, bit for bit.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    trained = train_patch(
        model,
        images,
        labels,
        share=share,
        shape=shape,
        degrees=degrees,
        steps=steps,
        pictures=pictures,
        step_size=step_size,
        smoothness=smoothness,
        transforms=transforms,
        targeted=targeted,
        batch_size=batch_size,
        seed=seed,
    )
    return apply_patch(images, trained, share=share, shape=shape, degrees=degrees, seed=seed)


@torch.inference_mode(False)  # in it nothing could be differentiated
@torch.no_grad()
def train_patch(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    share: float | tuple[float, float] = 0.25,
    shape: str = "circle",
    degrees: float = 20,
    steps: int = 300,
    pictures: int = 8,
    step_size: float = 0.05,
    smoothness: float = 10.0,
    transforms: Sequence[Transform] = (),
    targeted: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """A patch that fools wherever it lies: raised is the mean log-probability of that (section 2).

    The mean is over pictures, places, scales and angles; the steps are Adam's. Smoothness is not in
    the paper; it is what makes the patch look like something.

    Args:
        model: from images (n, C, H, W) in [0, 1] to logits (n, classes).
        images: (N, C, H, W) in [0, 1], that the patch is trained on.
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        share: of a picture's area that the patch covers, or the least and the most.
        shape: "circle" or "square".
        degrees: how far it turns, at most, to either side.
        steps: how many.
        pictures: how many each step looks at.
        step_size: by how much a value changes at a step, at most.
        smoothness: weight of the patch's total variation, which printers and cameras lose, against the mean.
        transforms: what happens to the patched picture before the model sees it, such as PRINT_AND_PHOTOGRAPH.
        targeted: whether the labels are the classes wanted.
        batch_size: how many pictures are in memory at a time; all those of a step by default.
        seed: of the order, the places and the transforms; a number, or a generator.

    Returns:
        (C, side, side) in [0, 1], as many pixels as the largest patch covers; the corners of a circle are not seen.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    check_images(images)
    labels = labels_or_predictions(model, images, labels, targeted)
    side = math.ceil(sides(images, share, shape)[1])
    odds, noise = objective("cross_entropy", targeted), noise_apart(seed, len(images))
    made = images.new_full((images.shape[1], side, side), 0.5)
    first = second = torch.zeros_like(made)
    order = torch.Generator().manual_seed(int(noise.seeds.sum()) % 2**63)
    for step, numbers in enumerate(minibatches(len(images), pictures, steps, order), 1):
        gradient = -smoothness * _roughening(made)
        for some in numbers.split(batch_size or len(numbers)):
            here, mine, wanted = noise[some], images[some.to(images.device)], labels[some.to(labels.device)]

            def patched(copies: Tensor, here: Noise = here, mine: Tensor = mine) -> Tensor:
                seen = laid(mine, copies, share, shape, degrees, here)
                return model(followed(seen, transforms, here))

            def success(logits: Tensor, wanted: Tensor = wanted) -> Tensor:
                return F.logsigmoid(odds(logits, wanted))

            gradient += slope(patched, made.expand(len(some), *made.shape), success)[2].sum(0) / len(numbers)
            noise.drawn[some] = here.drawn
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        size = (second / (1 - 0.999**step)).sqrt().clamp_min(1e-12)
        made = (made + step_size * first / (1 - 0.9**step) / size).clamp(0, 1)
    return made


def _roughening(made: Tensor) -> Tensor:
    """The gradient of a patch's total variation: the mean difference of neighbours, across and down."""
    gradient = torch.zeros_like(made)
    for axis in (1, 2):
        uphill = made.diff(dim=axis).sign() / made.numel()
        gradient.narrow(axis, 1, uphill.shape[axis]).add_(uphill)
        gradient.narrow(axis, 0, uphill.shape[axis]).sub_(uphill)
    return gradient
