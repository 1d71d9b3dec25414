"""The adversarial patch (Brown et al. 2017, https://arxiv.org/abs/1712.09665)."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from .core.adam import Adam
from .core.ball import check_images
from .core.budget import LARGER, warn_of_size
from .core.contract import attack, given
from .core.labels import labels_or_predictions
from .core.losses import Loss, is_fooled, objective
from .core.minibatches import SharedSamples
from .core.model import Model, value_and_gradient, warn_if_vanished
from .core.seeds import Seed
from .transforms.patch_placement import Placement, apply_patch
from .transforms.random_transforms import Transform, apply_transforms, noise_per_sample


@attack
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
    """One patch for all images, laid on each at a place of its own.

    ``train_patch`` makes the patch, and has the same options; ``apply_patch`` lays it on other images.

    Returns:
        (N, C, H, W) in [0, 1]: outside the patch the images, bit for bit.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
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


@given
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
    """A patch that fools wherever it lies: it raises the mean log-probability of success (section 2).

    The mean is over images, places, scales and angles; the steps are Adam's. Smoothness is not in the paper; it makes
    the patch look like something.

    Args:
        model: from images (n, C, H, W) in [0, 1] to logits (n, classes).
        images: (N, C, H, W) in [0, 1], on which the patch is trained.
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        share: share of an image's area that the patch covers, or the smallest and the largest.
        shape: "circle" or "square".
        degrees: the largest angle of rotation, to either side.
        steps: number of steps.
        pictures: number of images at each step.
        step_size: largest change of a value at a step.
        smoothness: weight of the patch's total variation, which printers and cameras lose, against the mean.
        transforms: applied to the image with the patch before the model sees it, such as PRINT_AND_PHOTOGRAPH.
        targeted: whether the labels are the classes to reach.
        batch_size: how many images are in memory at a time; by default all those of a step.
        seed: of the order, the places and the transforms; a number, or a generator.

    Returns:
        (C, side, side) in [0, 1], with as many pixels as the largest patch covers; the corners of a circle are not
        used.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    check_images(images)
    labels = labels_or_predictions(model, images, labels, targeted)
    placement = Placement(share, shape, degrees)
    side = math.ceil(placement.sides(images)[1])
    search = _PatchSearch(
        model,
        objective("cross_entropy", targeted),
        targeted,
        placement,
        smoothness,
        transforms=transforms,
        batch_size=batch_size,
    )
    samples = SharedSamples(images, labels, noise_per_sample(seed, images))
    trained = images.new_full((images.shape[1], side, side), 0.5)
    adam = Adam(trained)
    for numbers in samples.minibatches(pictures, steps):
        trained = (trained + adam.step(search.gradient(trained, samples, numbers), step_size)).clamp(0, 1)
    if targeted:
        warn_of_size(model, labels, search.laid(trained, samples))
    return trained


@dataclass(frozen=True)
class _PatchSearch:
    model: Model
    objective: Loss
    targeted: bool
    placement: Placement
    smoothness: float
    transforms: Sequence[Transform]
    batch_size: int | None

    def gradient(self, trained: Tensor, samples: SharedSamples, numbers: Tensor) -> Tensor:
        """The gradient (C, side, side) of what is raised, over samples (n,)."""
        gradient = -self.smoothness * _variation_gradient(trained)
        for chosen in samples.parts(numbers, self.batch_size):
            gradient += self.success_gradients(trained, chosen).sum(0) / len(numbers)
        return gradient

    def laid(self, trained: Tensor, samples: SharedSamples) -> dict[str, Callable[[], Iterator[Tensor]]]:
        """The images with the patch (C, side, side), a part at a time, and with it larger, as far as it fits."""
        sizes, share = {}, self.placement.share
        for times in (1.0, *LARGER):
            shares = [times * one for one in share] if isinstance(share, Sequence) else [times * share] * 2
            placement = replace(self.placement, share=tuple(shares))
            if times == 1 or placement.fits(samples.images):
                sizes[f"a share of {shares[1]:.2g}"] = partial(self.laid_by, placement, trained, samples)
        return sizes

    def laid_by(self, placement: Placement, trained: Tensor, samples: SharedSamples) -> Iterator[Tensor]:
        """The images with the patch where a placement lays it, a part at a time."""
        for chosen in samples.parts(torch.arange(len(samples)), self.batch_size):
            patches = trained.expand(len(chosen), *trained.shape)
            yield apply_transforms(placement.lay(chosen.images, patches, chosen.noise), self.transforms, chosen.noise)

    def success_gradients(self, trained: Tensor, chosen: SharedSamples) -> Tensor:
        """The gradients (n, C, side, side) of the log-probability that the patch fools, on each sample."""

        def logits_with(patches: Tensor) -> Tensor:
            views = self.placement.lay(chosen.images, patches, chosen.noise)
            return self.model(apply_transforms(views, self.transforms, chosen.noise))

        def log_probability(logits: Tensor, labels: Tensor) -> Tensor:
            return F.logsigmoid(self.objective(logits, labels))

        copies = trained.expand(len(chosen), *trained.shape)
        logits, _, gradients = value_and_gradient(logits_with, copies, log_probability, chosen.labels)
        warn_if_vanished(gradients, ~is_fooled(logits, chosen.labels, self.targeted))
        return gradients


def _variation_gradient(trained: Tensor) -> Tensor:
    """The gradient of a patch's total variation: the mean difference of neighbours, across and down."""
    gradient = torch.zeros_like(trained)
    for axis in (1, 2):
        uphill = trained.diff(dim=axis).sign() / trained.numel()
        gradient.narrow(axis, 1, uphill.shape[axis]).add_(uphill)
        gradient.narrow(axis, 0, uphill.shape[axis]).sub_(uphill)
    return gradient
