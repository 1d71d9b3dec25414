"""Weather: snow, frost, fog, and a brighter day (Hendrycks and Dietterich 2019, appendix B)."""

import importlib.util
import math
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..images.files import read
from .blur import magnified, moved, smoothed
from .draws import Draws

LUMA = (0.299, 0.587, 0.114)
PHOTOS = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg")
SIMULATED = (800, 1000)  # pixels of simulated frost


def snow(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Flakes of two sizes of motion, on a picture that is paler."""
    brightness, deviation, size, least, radius, sigma, kept = (
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    )[severity - 1]
    height, width = images.shape[2:]
    flakes = magnified(brightness + deviation * draws.normal(1, height, width).to(images), size)
    flakes = torch.where(flakes < least, 0, flakes).clamp(0, 1)
    flakes = moved(flakes, radius, sigma, draws.uniform(-135, -45).tolist())[..., :height, :width]
    flakes = (flakes * 255).round() / 255
    grey = (images * images.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)
    pale = kept * images + (1 - kept) * torch.maximum(images, grey * 1.5 + 0.5)
    return pale + flakes + flakes.flip(2, 3)


def frost(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """Ice on the lens: a piece of one of five photographs of frost is laid over the picture.

    The photographs are those of the package ``imagecorruptions``, where it is installed; else frost is simulated.
    """
    kept, laid = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))[severity - 1]
    height, width = images.shape[2:]
    numbers, places = draws.integers(0, len(PHOTOS)).tolist(), draws.uniform(0, 1, 2).tolist()
    pieces = []
    for number, (down, across) in zip(numbers, places, strict=True):
        ice = _enlarged(number, height, width)
        row, column = int(down * (ice.shape[2] - height)), int(across * (ice.shape[3] - width))
        pieces.append(ice[..., row : row + height, column : column + width])
    return kept * images + laid * torch.cat(pieces).to(images)


def fog(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """A fractal cloud in front of the picture."""
    density, decay = ((1.5, 2), (2.0, 2), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))[severity - 1]
    height, width = images.shape[2:]
    clouds = plasma(2 ** math.ceil(math.log2(max(height, width))), decay, draws)[:, None, :height, :width].to(images)
    lightest = images.amax((1, 2, 3), keepdim=True)
    return (images + density * clouds) * lightest / (lightest + density)


def brightness(images: Tensor, severity: int, draws: Draws) -> Tensor:
    """More light: the value of hue, saturation and value grows."""
    more = (0.1, 0.2, 0.3, 0.4, 0.5)[severity - 1]
    value = images.amax(1, keepdim=True)
    brighter = (value + more).clamp(max=1)
    return torch.where(value > 0, images * brighter / value.clamp_min(1e-12), brighter)


def plasma(size: int, decay: float, draws: Draws) -> Tensor:
    """(N, size, size) fractal clouds in [0, 1] that fit at their edges, by the diamond-square algorithm."""
    heights = torch.zeros(len(draws.generators), size, size, dtype=torch.float64)
    step, rough = size, 100.0

    def near(values: Tensor) -> Tensor:
        return values / 4 + rough * draws.uniform(-rough, rough, *values.shape[1:]).double()

    while step >= 2:
        half = step // 2
        corners = heights[:, ::step, ::step]
        pairs = corners + corners.roll(-1, 1)
        heights[:, half::step, half::step] = near(pairs + pairs.roll(-1, 2))
        centres = heights[:, half::step, half::step]
        above_below, left_right = centres + centres.roll(1, 1), centres + centres.roll(1, 2)
        heights[:, ::step, half::step] = near(above_below + corners + corners.roll(-1, 2))
        heights[:, half::step, ::step] = near(left_right + corners + corners.roll(-1, 1))
        step, rough = half, rough / decay
    heights = heights - heights.amin((1, 2), keepdim=True)
    return heights / heights.amax((1, 2), keepdim=True)


def has_photos() -> bool:
    """Whether the published photographs of frost are there."""
    return _folder() is not None


def _folder() -> Path | None:
    found = importlib.util.find_spec("imagecorruptions")
    folder = Path(next(iter(found.submodule_search_locations))) / "frost" if found else None
    return folder if folder is not None and folder.is_dir() else None


@cache
def _ice(number: int) -> Tensor:
    """(1, 3, h, w) in [0, 1]: a photograph of frost or, without it, feathers of ice of about its brightness."""
    folder = _folder()
    if folder is not None:
        return read(folder / PHOTOS[number])
    draws = Draws([number])
    rough = draws.normal(1, *SIMULATED)
    feathers = moved(rough, 20, 8, [25.0 + 30 * number])[0] + moved(rough.flip(3), 20, 8, [-40.0 + 30 * number])[0]
    feathers = smoothed(feathers[None], 1.5)
    feathers = 0.45 + 0.2 * (feathers - feathers.mean()) / feathers.std()
    return (feathers * torch.tensor([0.92, 1.0, 1.08]).view(3, 1, 1)).clamp(0, 1)


@cache
def _enlarged(number: int, height: int, width: int) -> Tensor:
    """The frost, a tenth larger than it is or than it has to be to cover a picture of that size."""
    ice = _ice(number)
    scale = 1.1 * max(1, height / ice.shape[2], width / ice.shape[3])
    size = [math.ceil(side * scale) for side in ice.shape[2:]]
    return F.interpolate(ice, size=size, mode="bicubic", align_corners=False).clamp(0, 1)
