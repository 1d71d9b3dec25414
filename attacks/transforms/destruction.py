"""How many adversarial pictures a transform disarms (Kurakin et al. 2017, https://arxiv.org/abs/1607.02533)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..core.ascent import Model
from ..core.labels import labels_or_predictions, predictions
from ..core.seeds import Seed
from ..errors import AttackError
from .random_transforms import Transform, followed, noise_apart


@torch.no_grad()
def destruction_rate(
    model: Model,
    images: Tensor,
    adversarial: Tensor,
    labels: Tensor,
    transforms: Sequence[Transform],
    *,
    draws: int = 1,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> float:
    """The share of pictures that fooled the model, and after the transforms no longer do (section 3).

    Counted are pictures seen rightly when clean and wrongly when adversarial; of these, those whose
    transformed adversarial version is seen rightly again.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1], clean.
        adversarial: (N, ...) in [0, 1].
        labels: (N,) the true classes, also for targeted attacks.
        transforms: what happens to the pictures, in order.
        draws: how often each picture is transformed; the share is over all of them.
        batch_size: how many pictures are looked at at a time; all by default.
        seed: of the transforms, which differ from picture to picture; or one for each, or a generator.

    Returns:
        From 0, the transforms change nothing, to 1; NaN where no picture counts.

    Raises:
        AttackError: pictures or labels that do not belong together, or no draw.
    """
    if images.shape != adversarial.shape:
        raise AttackError(f"{tuple(images.shape)} clean pictures and {tuple(adversarial.shape)} adversarial ones")
    if draws < 1:
        raise AttackError(f"pictures are transformed once or more, not {draws} times")
    labels = labels_or_predictions(model, images, labels)
    every_noise = noise_apart(seed, len(images))
    counted, righted = 0, 0
    for numbers in torch.arange(len(images)).split(batch_size or max(1, len(images))):
        here, fooling, truth = (values[numbers.to(labels.device)] for values in (images, adversarial, labels))
        fair = (predictions(model, here) == truth) & (predictions(model, fooling) != truth)
        noise = every_noise[numbers]
        for _ in range(draws):
            right = predictions(model, followed(fooling, transforms, noise)) == truth
            counted, righted = counted + int(fair.sum()), righted + int((fair & right).sum())
    return righted / counted if counted else float("nan")
