"""Random changes that an adversarial image is to survive: differentiable, and drawn for each sample by itself.

A transform maps images (n, C, H, W) and their noise to images of the same shape. A list of them is applied in
order:

>>> views = [rotation(10), blur(1), jpeg((50, 95))]
>>> seen = transformed(images, views, seed=1)
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.norms import batch_view
from ..core.seeds import Noise, Seed
from .jpeg import clamp_straight_through, compressed
from .warp import check_spatial, corners_moved, warped

Transform = Callable[[Tensor, Noise], Tensor]


def transformed(images: Tensor, transforms: Sequence[Transform], *, seed: Seed = 0) -> Tensor:
    """Images after a list of transforms.

    Args:
        images: (N, ...) in [0, 1]; most transforms want (N, C, H, W).
        transforms: what is applied to them, in order.
        seed: of what is drawn, differently for each sample; or a seed for each, or a generator.

    Returns:
        (N, ...) in [0, 1].
    """
    return apply_transforms(images, transforms, noise_per_sample(seed, images))


def apply_transforms(images: Tensor, transforms: Sequence[Transform], noise: Noise) -> Tensor:
    """As ``transformed``, with the noise of the samples; without transforms the images themselves."""
    for transform in transforms:
        images = transform(images, noise)
    return clamp_straight_through(images) if transforms else images


def noise_per_sample(seed: Seed, images: Tensor) -> Noise:
    """Noise that differs from sample to sample (N, ...), also of one picture that comes several times."""
    if isinstance(seed, int):
        seed = torch.Generator().manual_seed(seed)
    if isinstance(seed, torch.Generator):
        seed = torch.randint(2**62, images.shape[:1], generator=seed, device=seed.device)
    return Noise.of(seed, images)


def rotation(degrees: float = 15) -> Transform:
    """A rotation by at most so many degrees to either side."""

    def rotate(images: Tensor, noise: Noise) -> Tensor:
        angle = _drawn(noise, images, -degrees, degrees) * math.pi / 180
        aspect = images.shape[-1] / images.shape[-2]
        cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
        return warped(images, [[cosine, -sine / aspect, zero], [sine * aspect, cosine, zero]])

    return rotate


def scale(low: float = 0.8, high: float = 1.2) -> Transform:
    """An enlargement about the middle, by a factor from ``low`` to ``high``."""

    def enlarge(images: Tensor, noise: Noise) -> Tensor:
        size = 1 / _drawn(noise, images, low, high)
        zero = torch.zeros_like(size)
        return warped(images, [[size, zero, zero], [zero, size, zero]])

    return enlarge


def shift(share: float = 0.1) -> Transform:
    """A shift by at most this share of the sides."""

    def move(images: Tensor, noise: Noise) -> Tensor:
        right, down = (2 * _drawn(noise, images, -share, share) for _ in range(2))
        one, zero = torch.ones_like(right), torch.zeros_like(right)
        return warped(images, [[one, zero, right], [zero, one, down]])

    return move


def mirror() -> Transform:
    """Left and right exchanged in half of the images."""

    def flip(images: Tensor, noise: Noise) -> Tensor:
        return torch.where(batch_view(noise.uniform(like=images) < 0.5, images), images.flip(-1), images)

    return flip


def perspective(share: float = 0.05) -> Transform:
    """A view at an angle: each corner moves by at most this share of the sides."""

    def slant(images: Tensor, noise: Noise) -> Tensor:
        moves = 2 * share * (2 * noise.uniform(4, 2, like=images) - 1)
        return warped(images, corners_moved(moves))

    return slant


def blur(most: float = 1.0) -> Transform:
    """A Gaussian blur with a standard deviation of up to ``most`` pixels."""

    def soften(images: Tensor, noise: Noise) -> Tensor:
        check_spatial(images)
        deviation = _drawn(noise, images, 0, most).clamp_min(1e-2)
        reach = math.ceil(3 * most)
        weights = (-(torch.arange(-reach, reach + 1).to(images) ** 2) / (2 * deviation[:, None] ** 2)).exp()
        weights = batch_view((weights / weights.sum(1, keepdim=True)).flatten(), images).unflatten(0, weights.shape)
        for axis in (2, 3):
            side = images.shape[axis]
            wide = F.pad(images, (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0), mode="replicate")
            images = sum(wide.narrow(axis, start, side) * weights[:, start] for start in range(2 * reach + 1))
        return images

    return soften


def resize(low: float = 0.5, high: float = 1.0) -> Transform:
    """Down to a share of the resolution and up again, as by a printer or a camera with fewer pixels."""

    def coarsen(images: Tensor, noise: Noise) -> Tensor:
        check_spatial(images)
        whole = images.shape[-2:]
        results = []
        for image, share in zip(images.split(1), _drawn(noise, images, low, high).tolist(), strict=True):
            size = [max(1, round(side * share)) for side in whole]
            small = F.interpolate(image, size, mode="bilinear", antialias=True)
            results.append(F.interpolate(small, whole, mode="bilinear"))
        return torch.cat(results) if results else images

    return coarsen


def brightness(most: float = 0.1) -> Transform:
    """Lighter or darker by up to ``most``."""
    return lambda images, noise: images + batch_view(_drawn(noise, images, -most, most), images)


def contrast(low: float = 0.8, high: float = 1.2) -> Transform:
    """Differences from the middle grey, times a factor from ``low`` to ``high``."""
    return lambda images, noise: (images - 0.5) * batch_view(_drawn(noise, images, low, high), images) + 0.5


def colour(most: float = 0.1) -> Transform:
    """Each channel stronger or weaker by up to this share, as in other light."""

    def tint(images: Tensor, noise: Noise) -> Tensor:
        gains = 1 + most * (2 * noise.uniform(images.shape[1], like=images) - 1)
        return images * batch_view(gains.flatten(), images[:, 0]).view(*gains.shape, *[1] * (images.dim() - 2))

    return tint


def gaussian_noise(most: float = 0.05) -> Transform:
    """Independent noise in every value, with a standard deviation of up to ``most``."""

    def disturb(images: Tensor, noise: Noise) -> Tensor:
        deviation = batch_view(_drawn(noise, images, 0, most), images)
        return images + deviation * noise.normal(*images.shape[1:], like=images)

    return disturb


def jpeg(quality: tuple[int, int] = (50, 95), *, subsample: bool = True) -> Transform:
    """JPEG compression of a quality between these two."""
    return lambda images, noise: compressed(images, _drawn(noise, images, *quality), subsample=subsample)


def _drawn(noise: Noise, images: Tensor, low: float, high: float) -> Tensor:
    """(N,) numbers between two others."""
    return low + (high - low) * noise.uniform(like=images)


# Athalye et al. 2018, in two dimensions: the poses of a picture.
ANY_POSE = (scale(0.9, 1.4), rotation(22.5), shift(0.1), brightness(0.05), gaussian_noise(0.1))

# Kurakin et al. 2017, section 3: printed, photographed by hand, warped back by its corners and cut out.
PRINT_AND_PHOTOGRAPH = (
    contrast(0.8, 1.1),
    colour(0.1),
    perspective(0.02),
    resize(0.6, 1.0),
    blur(1.0),
    brightness(0.1),
    gaussian_noise(0.03),
    jpeg((60, 95)),
)
