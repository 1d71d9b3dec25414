"""Random views of a picture: a drawing has to raise its objective in all of them, which keeps noise out."""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor


def views(
    images: Tensor,
    generator: torch.Generator,
    *,
    shift: float = 16 / 224,
    scale: tuple[float, float] = (0.7, 1.3),
    rotate: float = 15,
    mirror: bool = True,
) -> Tensor:
    """(N, C, H, W) pictures, each shifted, scaled, rotated and perhaps mirrored at random, in one warp.

    The shift is at most this share of the sides, the scale between these two, the rotation at most so many degrees to
    either side. Outside, a picture continues as its own reflection, since a grey border would be drawn too.
    """
    count = len(images)

    def draw(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    angle, size = draw(-rotate, rotate) * math.pi / 180, draw(*scale)
    flip = torch.where(draw(0, 1) < 0.5, -1.0, 1.0) if mirror else torch.ones(count)
    cosine, sine = angle.cos() / size, angle.sin() / size
    aspect = images.shape[-1] / images.shape[-2]
    # From a place of the view, in units of half the sides, to a place of the picture.
    warp = torch.stack(
        [
            torch.stack([cosine * flip, -sine / aspect, 2 * draw(-shift, shift)], 1),
            torch.stack([sine * aspect * flip, cosine, 2 * draw(-shift, shift)], 1),
        ],
        1,
    ).to(images)
    places = F.affine_grid(warp, list(images.shape), align_corners=False)
    return F.grid_sample(images, places, padding_mode="reflection", align_corners=False)


@dataclass
class Approach:
    """Views that come closer: at first the whole picture seen small, and only its middle changes; later its details.

    An object is then begun once, in the middle, by its coarse shape. Each call is a step of so many, from the small
    views (h, w) up to those of the network's input (h, w) at 0.6 of the way, when all of the picture begins to change.
    Small views are cheap: there are as many more of them as they are smaller.

    Grain lies over the views until the shape stands: a score that is to hold through noise depends on outlines and
    colours that are seen, where the bare score depends as much on patterns that are not (Kaur, Cohen and Lipton 2019,
    https://arxiv.org/abs/1910.08640, of classifiers that are smoothed by noise).
    """

    steps: int
    smallest: tuple[int, int]
    largest: tuple[int, int]
    scale: tuple[float, float] = (0.7, 1.1)  # share of the picture's sides that a view shows
    rotate: float = 5  # degrees to either side
    middle: float = 0.6  # standard deviation of the bell that changes, of half the sides
    whole_from: float = 0.6  # share of the steps
    grain: float = 0.08  # standard deviation of the noise, of the range of pixel values
    fading: tuple[float, float] = (0.3, 0.75)  # shares of the steps between which the grain goes
    taken: int = field(default=0, init=False)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """(V N, C, h, w) views of pictures (N, C, H, W), each in one warp; outside, a picture is its own reflection."""
        done = self.taken / self.steps
        self.taken += 1
        way = min(1.0, done / self.whole_from)
        if way < 1:
            bell = _bell(images, self.middle)
            images = images * bell + images.detach() * (1 - bell)
        sizes = zip(self.smallest, self.largest, strict=True)
        size = [_rounded(small + way * (large - small), large) for small, large in sizes]
        images = images.repeat(round(math.prod(self.largest) / math.prod(size)), 1, 1, 1)
        seen, (kept, gone) = self._views(images, generator, size), self.fading
        grain = self.grain * min(1.0, max(0.0, (gone - done) / (gone - kept)))
        return seen + grain * torch.randn(seen.shape, generator=generator).to(seen) if grain else seen

    def _views(self, images: Tensor, generator: torch.Generator, size: list[int]) -> Tensor:
        count = len(images)

        def draw(low: float, high: float) -> Tensor:
            return torch.rand(count, generator=generator) * (high - low) + low

        shown, angle = draw(*self.scale), draw(-self.rotate, self.rotate) * math.pi / 180
        flip = torch.where(draw(0, 1) < 0.5, -1.0, 1.0)
        cosine, sine, room = angle.cos() * shown, angle.sin() * shown, (1 - shown).clamp(min=0) + 1 / 14
        aspect = images.shape[-1] / images.shape[-2]
        rows = [cosine * flip, -sine / aspect, draw(-1, 1) * room], [sine * aspect * flip, cosine, draw(-1, 1) * room]
        warp = torch.stack([torch.stack(row, 1) for row in rows], 1).to(images)
        places = F.affine_grid(warp, [count, images.shape[1], *size], align_corners=False)
        return F.grid_sample(images, places, padding_mode="reflection", align_corners=False)


def _bell(images: Tensor, deviation: float) -> Tensor:
    """(H, W) a bell in the middle of pictures (N, C, H, W), 1 at its top."""
    down, across = (torch.linspace(-1, 1, side, device=images.device) for side in images.shape[-2:])
    return torch.exp(-(down[:, None] ** 2 + across**2) / (2 * deviation**2)).to(images)


def _rounded(side: float, largest: int) -> int:
    """A side as a multiple of 32, which the strides of most networks divide, or else the largest."""
    return min(largest, 32 * round(side / 32)) or largest
