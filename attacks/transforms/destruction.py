"""How many adversarial images transforms disarm (Kurakin et al. 2017, https://arxiv.org/abs/1607.02533)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..core.labels import labels_or_predictions, predictions
from ..core.model import Model
from ..core.seeds import Seed
from ..errors import AttackError
from .random_transforms import Transform, apply_transforms, noise_per_sample


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
    """The share of adversarial images that fool the model, but no longer do so after the transforms (section 3).

    Of the samples that are classified correctly when clean and wrongly when adversarial, the rate counts those whose
    transformed adversarial image is classified correctly again.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1], clean.
        adversarial: (N, ...) in [0, 1].
        labels: (N,) the true classes, also for targeted attacks.
        transforms: what is applied to the images, in order.
        draws: how often each image is transformed; the rate is over all of them.
        batch_size: how many images the model sees at a time; by default all.
        seed: of the transforms, which differ from image to image; or a seed for each, or a generator.

    Returns:
        From 0, where the transforms disarm none, to 1; NaN where no sample counts.

    Raises:
        AttackError: images or labels that do not belong together, or no draw.
    """
    if images.shape != adversarial.shape:
        raise AttackError(f"{tuple(images.shape)} clean pictures and {tuple(adversarial.shape)} adversarial ones")
    if draws < 1:
        raise AttackError(f"pictures are transformed once or more, not {draws} times")
    labels = labels_or_predictions(model, images, labels)
    all_noise = noise_per_sample(seed, images)
    counted, disarmed = 0, 0
    for numbers in torch.arange(len(images)).split(batch_size or max(1, len(images))):
        noise, clean, fooling, truth = (values[numbers] for values in (all_noise, images, adversarial, labels))
        counts = (predictions(model, clean) == truth) & (predictions(model, fooling) != truth)
        for _ in range(draws):
            right = predictions(model, apply_transforms(fooling, transforms, noise)) == truth
            counted, disarmed = counted + int(counts.sum()), disarmed + int((counts & right).sum())
    return disarmed / counted if counted else float("nan")
