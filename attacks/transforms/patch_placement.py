"""Laying a patch on images: at any place, any angle, larger or smaller."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.ball import check_images
from ..core.seeds import Noise, Seed
from ..errors import AttackError
from .random_transforms import noise_per_sample
from .warp import check_spatial, sampling_grid

# Whether a patch covers places (..., 2) in [-1, 1], and which share of this square it covers.
SHAPES = {
    "circle": (lambda places: places.square().sum(-1) <= 1, math.pi / 4),
    "square": (lambda places: places.abs().amax(-1) <= 1, 1),
}


def apply_patch(
    images: Tensor,
    patch: Tensor,
    *,
    share: float | tuple[float, float] = 0.25,
    shape: str = "circle",
    degrees: float = 20,
    seed: Seed = 0,
) -> Tensor:
    """Images with a patch on each, wholly inside, at a random place, scale and angle.

    Args:
        images: (N, C, H, W) in [0, 1].
        patch: (C, side, side) in [0, 1], of any number of pixels.
        share: of an image's area that the patch covers, or the smallest and the largest.
        shape: "circle" or "square".
        degrees: the largest angle of rotation, to either side.
        seed: of the places, which differ from image to image; or a seed for each, or a generator.

    Returns:
        (N, C, H, W) in [0, 1]: outside the patch the images, bit for bit.

    Raises:
        AttackError: the patch does not fit on the images.
    """
    check_images(images)
    if patch.dim() != 3 or patch.shape[0] != images.shape[1]:
        raise AttackError(f"a patch for these pictures is ({images.shape[1]}, side, side), not {tuple(patch.shape)}")
    copies = patch.to(images).expand(len(images), *patch.shape)
    noise = noise_per_sample(seed, images)
    return Placement(share, shape, degrees).lay(images, copies, noise).clamp(0, 1)


def cut_out(patch: Tensor, shape: str = "circle") -> Tensor:
    """A patch (C, side, side) in [0, 1] to be printed and cut out: white outside its shape."""
    along = torch.linspace(-1, 1, patch.shape[-1], device=patch.device)
    places = torch.stack(torch.meshgrid(along, along, indexing="ij"), -1)
    return torch.where(SHAPES[shape][0](places), patch, torch.ones((), device=patch.device))


@dataclass(frozen=True)
class Placement:
    """Where a patch may lie."""

    share: float | tuple[float, float]  # of the area of an image, or the smallest and the largest
    shape: str  # of SHAPES
    degrees: float  # the largest angle, to either side

    def lay(self, images: Tensor, patches: Tensor, noise: Noise) -> Tensor:
        """Images with a patch (n, C, side, side) on each, wholly inside, at a random place, scale and angle."""
        height, width = images.shape[-2:]
        low, high = self.sides(images)
        half = (low**2 + (high**2 - low**2) * noise.uniform(like=images)).sqrt() / 2
        angle = (2 * noise.uniform(like=images) - 1) * self.degrees * math.pi / 180
        cosine, sine = angle.cos(), angle.sin()
        reach = half if self.shape == "circle" else half * (cosine.abs() + sine.abs())
        right, down = (
            (2 * noise.uniform(like=images) - 1) * (length / 2 - reach).clamp_min(0) for length in (width, height)
        )
        # From a place of the image, in half its sides, to one of the patch, in half its own.
        rows = [[cosine * width / 2, sine * height / 2, -cosine * right - sine * down]]
        rows += [[-sine * width / 2, cosine * height / 2, sine * right - cosine * down]]
        places = sampling_grid([[value / half for value in row] for row in rows], images)
        covered = SHAPES[self.shape][0](places)[:, None]
        return torch.where(covered, F.grid_sample(patches, places, padding_mode="border", align_corners=False), images)

    def fits(self, images: Tensor) -> bool:
        """Whether its largest patch fits on the images."""
        try:
            self.sides(images)
        except AttackError:
            return False
        return True

    def sides(self, images: Tensor) -> tuple[float, float]:
        """The smallest and the largest side, in pixels, of the square around the patch."""
        check_spatial(images)
        if self.shape not in SHAPES:
            raise AttackError(f"a patch is a {' or a '.join(SHAPES)}, not a {self.shape}")
        shares = self.share if isinstance(self.share, Sequence) else (self.share, self.share)
        area, covered = images[0, 0].numel(), SHAPES[self.shape][1]
        low, high = (math.sqrt(max(0, share) * area / covered) for share in shares)
        size = tuple(images.shape[-2:])
        if not 0 < low <= high <= min(size):
            raise AttackError(f"a {self.shape} of {self.share} of the area does not fit on pictures of {size}")
        return low, high
