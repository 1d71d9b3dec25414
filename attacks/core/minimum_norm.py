"""What the attacks share that search the smallest perturbation that fools."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from .active_batch import Search, State, run_until_done
from .ball import check_images
from .labels import labels_or_predictions
from .losses import is_fooled, other_logits
from .model import logits_of
from .norms import batch_view, l2, norm_named, positive
from .quantize import quantize_fooling

MAX_WEIGHT = 1e10  # of the loss against the distance, as in Carlini and Wagner's code


def minimum_norm(
    search: Search, images: Tensor, labels: Tensor | None, *, quantize: bool, batch_size: int | None
) -> Tensor:
    """(N, ...) the results of a search, which has a ``model`` and says whether it is ``targeted``.

    It is given the samples that are not fooled as they are. The others, and those for which nothing is found, keep
    their clean images (N, ...), bit for bit. With ``quantize`` results are put on the levels of an 8-bit file.
    """
    check_images(images)
    model, targeted = search.model, search.targeted
    labels = labels_or_predictions(model, images, labels, targeted)
    results = images.detach().clone()
    with torch.no_grad():
        logits = torch.cat([logits_of(model, part) for part in images.split(batch_size or max(len(images), 1))])
    unsolved = ~is_fooled(logits, labels, targeted)
    if unsolved.any():
        samples = MinimumNormState.of(results, labels, logits)[unsolved]
        found = run_until_done(search, samples, batch_size=batch_size)
        if quantize:
            found = quantize_fooling(
                model, samples.images, found, samples.labels, targeted=targeted, batch_size=batch_size
            )
        results[unsolved] = found
    return results


@dataclass
class MinimumNormState(State):
    """Samples that are not fooled as they are, and the nearest points found so far that fool."""

    images: Tensor  # (n, ...) clean
    labels: Tensor  # (n,) the true classes, or the targets
    logits: Tensor  # (n, C) of the clean images
    numbers: Tensor  # (n,) of the samples among all that are attacked
    result: Tensor  # (n, ...) the nearest point that fools, or the clean image
    distance: Tensor  # (n,) of the result; infinite until something fools

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, logits: Tensor) -> Self:
        """Samples for which nothing has been found yet."""
        numbers = torch.arange(len(images), device=images.device)
        distance = torch.full_like(numbers, torch.inf, dtype=images.dtype)
        return cls(images, labels, logits, numbers, images, distance)

    def keep_nearest(self, points: Tensor, fooled: Tensor, norm: str = "L2") -> None:
        """Keep points (n, ...) as results where they fool and are nearer than the results so far."""
        distance = norm_named(norm).size(points - self.images)
        nearer = fooled & (distance < self.distance)
        self.distance = torch.where(nearer, distance, self.distance)
        self.result = torch.where(batch_view(nearer, points), points, self.result)

    def target_classes(self, targeted: bool) -> Tensor:
        """(n,) the classes to aim at: the labels of a targeted attack, else the likeliest wrong classes."""
        return self.labels if targeted else other_logits(self.logits, self.labels).argmax(1)


@dataclass
class WeightSearch(State):
    """Bisection, for each sample, of the smallest weight of the loss with which minimising distance plus loss fools."""

    weight: Tensor  # (n,) that is tried now
    low: Tensor  # (n,) the largest weight that did not fool
    high: Tensor  # (n,) the smallest one that did; infinite until one does
    fooled: Tensor  # (n,) whether the present weight has fooled
    done: Tensor  # (n,) how many weights have been tried

    @classmethod
    def of(cls, weight: Tensor) -> Self:
        """The search that begins with the weights (n,)."""
        zeros = torch.zeros_like(weight)
        return cls(weight, zeros, zeros + torch.inf, zeros > 0, zeros)

    def next(self, ended: Tensor) -> None:
        """Where the minimisation has ended (n,), take a smaller weight if it has fooled, else a larger one."""
        self.high = torch.where(ended & self.fooled, self.weight, self.high)
        self.low = torch.where(ended & ~self.fooled, self.weight, self.low)
        larger = (self.weight * 10).clamp_max(MAX_WEIGHT)
        weight = torch.where(self.high.isinf(), larger, (self.low + self.high) / 2)
        self.weight = torch.where(ended, weight, self.weight)
        self.done = self.done + ended
        self.fooled = self.fooled & ~ended


def multiple_to_zero(values: Tensor, gradient: Tensor) -> Tensor:
    """(n,) the multiple of its gradient (n, ...) that takes a linear function of these values (n,) to 0."""
    return values / positive(l2(gradient).square())
