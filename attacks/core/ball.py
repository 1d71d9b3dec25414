"""What an attack may return: images within eps of the clean ones and within [0, 1], exactly."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ..errors import AttackError
from ..norm_names import check_radius, default_radius, norm_name
from .active_batch import State
from .norms import batch_view, norm_named
from .seeds import Noise

MAX_LEVEL = 255  # of an 8-bit file
ROUNDING = 1e-6  # by which images may lie outside of [0, 1]


@dataclass
class Ball(State):
    """The points within eps of each sample and within the box [0, 1], in exact arithmetic.

    The bound holds for the stored values: in double precision ``norm(point - image) <= eps``, for Linf value by value.
    With ``quantize`` the model is queried only with points whose values are levels of an 8-bit file, or those of the
    clean image, and Linf is counted in whole levels.
    """

    images: Tensor  # (n, ...) the clean samples
    eps: Tensor  # (n,) the radii
    low: Tensor  # (n, ...) the lowest values allowed, and the highest
    high: Tensor
    norm: str
    quantize: bool

    @classmethod
    def around(cls, images: Tensor, eps: float | Tensor | None, norm: str = "Linf", *, quantize: bool = False) -> Self:
        """The balls around images (N, ...) in [0, 1], of one radius or (N,), by default the norm's.

        AttackErrors where either is invalid.
        """
        norm = norm_name(norm)
        check_images(images)
        values = math.prod(images.shape[1:])
        radius = per_sample(default_radius(norm, values) if eps is None else eps, images, "eps")
        for one in radius.unique().tolist():
            check_radius(one, norm, values)
            if quantize and 0 < one and one * MAX_LEVEL + 1e-4 < 1:
                raise AttackError(f"eps {one:g} is less than one level of an 8-bit file (1/255 = {1 / MAX_LEVEL:.6f})")
        bounds = torch.zeros_like(images), torch.ones_like(images)
        if norm == "Linf":
            bounds = _level_bounds(images, radius) if quantize else _bounds(images, radius)
        return cls(images, radius, *bounds, norm, quantize)

    def project(self, points: Tensor) -> Tensor:
        """The points themselves where they are inside, else points near them that are."""
        inside = torch.minimum(torch.maximum(points, self.low), self.high)
        if self.norm == "Linf":
            return inside
        delta = inside.to(bound_dtype(inside)) - self.images.to(bound_dtype(inside))
        # A hair inside, since the norm itself is rounded.
        eps = batch_view(self.eps, delta) * (1 - (0 if self.norm == "L0" else 1e-9))
        return added_within(self.images, norm_named(self.norm).project(delta, eps))

    def quantized(self, points: Tensor) -> Tensor:
        """The points that the model is queried with: these, or with ``quantize`` near ones of whole levels."""
        if not self.quantize:
            return points
        clean, scaled = self.images * MAX_LEVEL, points * MAX_LEVEL
        levels = scaled.round()
        if self.norm != "Linf":
            # The nearest level where that stays inside the ball; else the nearest one towards the clean image.
            delta = self._at_levels(levels).to(bound_dtype(points)) - self.images.to(bound_dtype(points))
            outside = norm_named(self.norm).size(delta) > self.eps
            inwards = torch.where(scaled > clean, scaled.floor(), scaled.ceil())
            beyond = torch.where(scaled > clean, inwards < clean, inwards > clean)
            inwards = torch.where(beyond, clean.round(), inwards)
            levels = torch.where(batch_view(outside, levels), inwards, levels)
            nothing = (levels == clean.round()).flatten(1).all(1) & (self.eps > 0)
            if nothing.any():
                levels = torch.where(batch_view(nothing, levels), self._largest_changes(points), levels)
        return self._at_levels(levels)

    def _largest_changes(self, points: Tensor) -> Tensor:
        """(n, ...) levels where all changes are less than half of one: the largest ones, as many as the radius allows.

        Each is made a whole level, where rounding would leave the image as it is.
        """
        clean = (self.images * MAX_LEVEL).round()
        delta = points.to(bound_dtype(points)) - self.images.to(bound_dtype(points))
        levels = (clean + delta.sign().to(clean)).clamp(0, MAX_LEVEL)
        change = (levels / MAX_LEVEL).to(delta.dtype) - self.images.to(delta.dtype)
        sizes, order = delta.abs().flatten(1).sort(1, descending=True)
        spent = norm_named(self.norm).running(change.abs().flatten(1).gather(1, order))
        kept = (sizes > 0) & (spent <= self.eps[:, None])
        return torch.where(torch.zeros_like(kept).scatter(1, order, kept).view_as(levels), levels, clean)

    def _at_levels(self, levels: Tensor) -> Tensor:
        """Levels as values; one that is the clean image's keeps its value, even between two levels."""
        return torch.where(levels == (self.images * MAX_LEVEL).round(), self.images, levels / MAX_LEVEL)

    def random(self, noise: Noise) -> Tensor:
        """A point drawn uniformly from each ball, then put into the box."""
        drawn = norm_named(self.norm).random(self.images, noise)
        return self.project(self.images + drawn * batch_view(self.eps, self.images).to(self.images.dtype))


@dataclass
class BoundedSamples(State):
    """The samples that an attack within a bound is given."""

    ball: Ball
    labels: Tensor  # (n,) the true classes, or the targets
    noise: Noise


def check_images(images: Tensor) -> None:
    """Refuse images that are not (N, ...) floating point values in [0, 1], or off it by more than rounding."""
    if not images.is_floating_point():
        raise AttackError(f"images are floating point, in [0, 1], not {images.dtype}; divide by 255")
    if images.dim() < 2:
        raise AttackError(f"images have the shape (N, ...), not {tuple(images.shape)}")
    if images.numel() and not (images.min() >= -ROUNDING and images.max() <= 1 + ROUNDING):
        span = f"[{float(images.min()):.4g}, {float(images.max()):.4g}]"
        raise AttackError(f"images lie in [0, 1], not in {span}; put the normalisation into the model")


def per_sample(value: float | Tensor, images: Tensor, name: str) -> Tensor:
    """(N,) double-precision values, from one for all samples or one for each."""
    try:
        values = torch.as_tensor(value, dtype=bound_dtype(images), device=images.device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AttackError(f"{name} is a number, or one for each sample, not {repr(value)[:30]}") from error
    if values.dim() == 0:
        return values.expand(len(images)).clone()
    if values.shape != (len(images),):
        raise AttackError(f"{name} is one number or one for each of {len(images)} samples, not {tuple(values.shape)}")
    return values


def bound_dtype(images: Tensor) -> torch.dtype:
    """The type in which bounds are computed; Apple's devices have no double precision."""
    return torch.float32 if images.device.type == "mps" else torch.float64


def added_within(images: Tensor, delta: Tensor) -> Tensor:
    """``images + delta``, rounded to the type of the images but never further from them than ``delta``."""
    delta = delta.to(bound_dtype(images))
    points = (images.to(delta.dtype) + delta).to(images.dtype)
    too_far = (points.to(delta.dtype) - images.to(delta.dtype)).abs() > delta.abs()
    return torch.where(too_far, torch.nextafter(points, images), points)


def movable(gradient: Tensor, points: Tensor) -> Tensor:
    """The gradient (n, ...) to be raised, 0 where it leads out of [0, 1]: else a boundary would seem too near."""
    stuck = ((points >= 1) & (gradient > 0)) | ((points <= 0) & (gradient < 0))
    return torch.where(stuck, 0, gradient)


def _bounds(images: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and the highest values within a radius (n,) in Linf."""
    eps = batch_view(radius, images)
    low, high = (added_within(images, delta.expand_as(images)) for delta in (-eps, eps))
    return low.clamp_min(0), high.clamp_max(1)


def _level_bounds(images: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and the highest levels within a radius (n,) in Linf, as values."""
    levels, reach = (images * MAX_LEVEL).round(), _levels(batch_view(radius, images)).to(images.dtype)
    bounds = ((levels + change).clamp(0, MAX_LEVEL) / MAX_LEVEL for change in (-reach, reach))
    low, high = (torch.where(reach == 0, images, bound) for bound in bounds)
    return low, high


def _levels(eps: Tensor) -> Tensor:
    # 2/255 is two levels in single as in double precision.
    return (eps * MAX_LEVEL + 1e-4).floor()
