"""Universal adversarial perturbations (Shafahi et al. 2020, https://arxiv.org/abs/1811.11304)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from .core.ball import Ball
from .core.budget import LARGER, warn_of_size
from .core.contract import attack, given
from .core.labels import labels_or_predictions
from .core.losses import Loss, is_fooled, objective
from .core.minibatches import SharedSamples
from .core.model import Model, value_and_gradient, warn_if_vanished
from .core.norms import batch_view, l1, norm_named
from .core.seeds import Seed
from .errors import AttackError
from .norm_names import norm_name
from .transforms.random_transforms import (
    Transform,
    apply_transforms,
    mirror,
    noise_per_sample,
    rotation,
    scale,
    shift,
)

EPS = 10 / 255  # in Linf
VARIED = (mirror(), rotation(10), scale(0.8, 1.4), shift(0.15))  # so that a few images do as well as many


@attack
def universal(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | None = None,
    norm: str = "Linf",
    step_size: float | None = None,
    steps: int = 200,
    pictures: int = 20,
    decay: float = 0.9,
    limit: float = 9.0,
    transforms: Sequence[Transform] | None = None,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """One perturbation for all images, and for others like them.

    ``universal_perturbation`` returns the perturbation itself and has the same options, except one.

    Args:
        quantize: whether results consist of levels of an 8-bit file.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm, ("Linf", "L2"), "this attack")
    eps = EPS if eps is None and norm == "Linf" else eps
    ball = Ball.around(images, eps, norm, quantize=quantize)
    delta = universal_perturbation(
        model,
        images,
        labels,
        eps=eps,
        norm=norm,
        step_size=step_size,
        steps=steps,
        pictures=pictures,
        decay=decay,
        limit=limit,
        transforms=transforms,
        targeted=targeted,
        batch_size=batch_size,
        seed=seed,
    )
    return ball.quantized(ball.project(images + delta))


@given
@torch.inference_mode(False)  # in it nothing could be differentiated
@torch.no_grad()
def universal_perturbation(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | None = None,
    norm: str = "Linf",
    step_size: float | None = None,
    steps: int = 200,
    pictures: int = 20,
    decay: float = 0.9,
    limit: float = 9.0,
    transforms: Sequence[Transform] | None = None,
    targeted: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """A perturbation that fools when added to any of the images, by stochastic gradient steps (algorithm 1).

    The loss of each image is cut at ``limit``, as in the paper, lest a few that are fooled thoroughly outweigh the
    others. Steps follow a running mean of the gradients, and shrink linearly. Of a mere 20 images, the perturbation
    would learn the images themselves; this is prevented by transforms, which are not in the paper. Unlike the first
    method (Moosavi-Dezfooli et al. 2017), which goes through the images one by one and undoes at each what it did for
    others, this one takes many together.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1], all of one kind.
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: radius of the ball; by default 10/255 in Linf, and two levels of each value in L2.
        norm: "Linf" or "L2".
        step_size: length of the first step; by default a tenth of eps.
        steps: number of steps.
        pictures: number of images at each step.
        decay: factor of the running mean at every step.
        limit: of the log-odds that the model is fooled.
        transforms: applied to the images before the perturbation is added, so that a few do as well as many; by default
            rotation, shift, scale and mirroring for (N, C, H, W), else none.
        targeted: whether the labels are the classes to reach.
        batch_size: how many images are in memory at a time; by default all those of a step.
        seed: of the order of the images and of the transforms; a number, or a generator.

    Returns:
        (...) of the shape of one image, with a norm of at most eps.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    if isinstance(eps, Tensor) and eps.dim():
        raise AttackError("one perturbation has one eps, not one for each sample")
    norm = norm_name(norm, ("Linf", "L2"), "this attack")
    eps = EPS if eps is None and norm == "Linf" else eps
    ball = Ball.around(images, eps, norm)
    labels = labels_or_predictions(model, images, labels, targeted)
    transforms = (VARIED if images.dim() == 4 else ()) if transforms is None else transforms
    length = ball.eps[:1] / 10 if step_size is None else torch.full_like(ball.eps[:1], step_size)
    search = _UniversalSearch(
        model, objective("cross_entropy", targeted), targeted, limit, transforms=transforms, batch_size=batch_size
    )
    samples = SharedSamples(images, labels, noise_per_sample(seed, images))
    steepest, project = norm_named(norm).steepest, norm_named(norm).project
    delta = velocity = torch.zeros_like(images[:1])
    for step, numbers in enumerate(samples.minibatches(pictures, steps)):
        gradient = search.gradient(delta, samples, numbers)
        velocity = decay * velocity + gradient / batch_view(l1(gradient), gradient).clamp_min(1e-30)
        shrunk = batch_view(length * (1 - step / steps), delta).to(delta.dtype)
        delta = project(delta + steepest(velocity) * shrunk, batch_view(ball.eps[:1], delta).to(delta.dtype))
    if targeted:
        tried = {f"an eps of {times * float(ball.eps[0]):.3g}": times for times in (1.0, *LARGER)}
        warn_of_size(
            model, labels, {name: partial(search.changed, times * delta, images) for name, times in tried.items()}
        )
    return delta[0]


@dataclass(frozen=True)
class _UniversalSearch:
    model: Model
    objective: Loss
    targeted: bool
    limit: float
    transforms: Sequence[Transform]
    batch_size: int | None

    def gradient(self, delta: Tensor, samples: SharedSamples, numbers: Tensor) -> Tensor:
        """The gradient (1, ...) at a perturbation (1, ...) of what is raised, the sum over samples (n,)."""
        gradient = torch.zeros_like(delta)
        for chosen in samples.parts(numbers, self.batch_size):
            views = apply_transforms(chosen.images, self.transforms, chosen.noise)
            points = (views + delta).clamp(0, 1)
            logits, _, each = value_and_gradient(self.model, points, self.cut_loss, chosen.labels)
            warn_if_vanished(each, ~is_fooled(logits, chosen.labels, self.targeted))
            gradient += each.sum(0)
        return gradient

    def changed(self, delta: Tensor, images: Tensor) -> Iterator[Tensor]:
        """The images (N, ...) with a perturbation (1, ...), a part at a time."""
        for part in images.split(self.batch_size or len(images)):
            yield (part + delta).clamp(0, 1)

    def cut_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(n,) what is raised, cut at the limit."""
        return self.objective(logits, labels).clamp_max(self.limit)
