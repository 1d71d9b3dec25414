"""What an attack may give: pictures within eps of the clean ones and within [0, 1], exactly."""

import torch
from torch import Tensor

from ..errors import AttackError
from .active_batch import Rows
from .norms import columns, norm_named
from .seeds import Noise

TOP = 255  # the highest level of an 8-bit file


class Ball(Rows):
    """The points within eps of each sample and within the box, in exact arithmetic.

    The bound holds for the stored values: in double precision ``norm(point - image) <= eps``, for
    Linf value by value. With ``quantize`` the points that are looked at lie on the grid of an 8-bit
    file, or at the clean picture's own value, and Linf is counted in whole levels.
    """

    @classmethod
    def around(cls, images: Tensor, eps: float | Tensor, norm: str = "Linf", *, quantize: bool = False) -> "Ball":
        """The balls around samples.

        Args:
            images: (N, ...) in [0, 1].
            eps: the radius, one for all or one for each sample.
            norm: "Linf", "L2", "L1" or "L0" (how many values change).
            quantize: whether points lie on the 8-bit grid.

        Returns:
            The balls.

        Raises:
            AttackError: a negative eps, one too small for the grid, or pictures not in [0, 1].
        """
        norm_named(norm)
        check_images(images)
        radius = per_sample(eps, images, "eps")
        if (radius < 0).any() or radius.isnan().any():
            raise AttackError(f"eps is a radius of 0 or more, not {eps}")
        if quantize and norm == "Linf" and ((radius > 0) & (_levels(radius) < 1)).any():
            raise AttackError(f"eps {eps} is less than one level of an 8-bit picture (1/255 = {1 / TOP:.6f})")
        ball = cls(images=images, eps=radius, norm=norm, quantize=quantize)
        ball.low, ball.high = ball._bounds() if norm == "Linf" else (torch.zeros_like(images), torch.ones_like(images))
        return ball

    def _bounds(self) -> tuple[Tensor, Tensor]:
        """The lowest and the highest value within eps, for each value of the pictures."""
        eps = columns(self.eps, self.images)
        if self.quantize:
            levels, reach = (self.images * TOP).round(), _levels(eps).to(self.images.dtype)
            low, high = ((levels + way).clamp(0, TOP) / TOP for way in (-reach, reach))
            unchanged = reach == 0
            return torch.where(unchanged, self.images, low), torch.where(unchanged, self.images, high)
        low, high = (rounded_towards(self.images, way.expand_as(self.images)) for way in (-eps, eps))
        return low.clamp_min(0), high.clamp_max(1)

    def project(self, points: Tensor) -> Tensor:
        """The points themselves where they are inside, else near ones that are."""
        inside = torch.minimum(torch.maximum(points, self.low), self.high)
        if self.norm == "Linf":
            return inside
        delta = inside.to(wide(inside)) - self.images.to(wide(inside))
        # A hair inside, since the norm itself was rounded.
        eps = columns(self.eps, delta) * (1 - (0 if self.norm == "L0" else 1e-9))
        return rounded_towards(self.images, norm_named(self.norm).project(delta, eps))

    def snap(self, points: Tensor) -> Tensor:
        """The points of the ball that are looked at: these, or their neighbours on the 8-bit grid."""
        if not self.quantize:
            return points
        before, after = self.images * TOP, points * TOP
        levels = after.round()
        if self.norm != "Linf":
            # The nearest level where that stays inside; else the nearest one on the clean picture's side.
            near = self._settled(levels, before)
            outside = norm_named(self.norm).size(near.to(wide(near)) - self.images.to(wide(near))) > self.eps
            towards = torch.where(after > before, after.floor(), after.ceil())
            beyond = torch.where(after > before, towards < before, towards > before)
            towards = torch.where(beyond, before.round(), towards)
            levels = torch.where(columns(outside, levels), towards, levels)
        return self._settled(levels, before)

    def _settled(self, levels: Tensor, before: Tensor) -> Tensor:
        """Levels as values; a value whose level did not change stays as it was, also off the grid."""
        return torch.where(levels == before.round(), self.images, levels / TOP)

    def random(self, noise: Noise) -> Tensor:
        """A point drawn uniformly from each ball, then put into the box."""
        drawn = norm_named(self.norm).random(self.images, noise)
        return self.project(self.images + drawn * columns(self.eps, self.images).to(self.images.dtype))


def check_images(images: Tensor) -> None:
    """Refuse what cannot be attacked.

    Raises:
        AttackError: no samples of floating point values in [0, 1].
    """
    if not images.is_floating_point():
        raise AttackError(f"images are floating point, in [0, 1], not {images.dtype}; divide by 255")
    if images.dim() < 2:
        raise AttackError(f"images have the shape (N, ...), not {tuple(images.shape)}")
    if images.numel() and not (images.min() >= 0 and images.max() <= 1):
        span = f"[{float(images.min()):.4g}, {float(images.max()):.4g}]"
        raise AttackError(f"images lie in [0, 1], not in {span}; put the normalisation into the model")


def per_sample(value: float | Tensor, images: Tensor, name: str) -> Tensor:
    """(N,) double-precision values, from one for all samples or one for each.

    Raises:
        AttackError: neither.
    """
    values = torch.as_tensor(value, dtype=wide(images), device=images.device)
    if values.dim() == 0:
        return values.expand(len(images)).clone()
    if values.shape != (len(images),):
        raise AttackError(f"{name} is one number or one for each of {len(images)} samples, not {tuple(values.shape)}")
    return values


def wide(images: Tensor) -> torch.dtype:
    """The type in which bounds are computed; Apple's devices have no double precision."""
    return torch.float32 if images.device.type == "mps" else torch.float64


def rounded_towards(images: Tensor, delta: Tensor) -> Tensor:
    """``images + delta`` in the images' own type, never further from them than ``delta`` says."""
    delta = delta.to(wide(images))
    points = (images.to(delta.dtype) + delta).to(images.dtype)
    too_far = (points.to(delta.dtype) - images.to(delta.dtype)).abs() > delta.abs()
    return torch.where(too_far, torch.nextafter(points, images), points)


def _levels(eps: Tensor) -> Tensor:
    # 2/255 in single or double precision is two levels.
    return (eps * TOP + 1e-4).floor()
