"""One corruption of a batch of pictures."""

import importlib
import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import InterpretError, UnknownNameError, did_you_mean
from ..images.files import in_colour
from . import CORRUPTIONS, SEVERITIES
from .draws import Draws

SMALLEST = 16  # pixels of a side, which the widest blur reaches over
WHOLE = ("pixelate", "jpeg_compression")  # these give levels; of the others the published code cuts off fractions


@torch.no_grad()
def corrupt(images: Tensor, name: str, severity: int = 1, *, seed: int | Sequence[int] = 0) -> Tensor:
    """Pictures with one of the 15 corruptions of Hendrycks and Dietterich (2019), as their code makes them.

    What is random is drawn for each picture from its own seed, so that neither the batch nor the device matters.

    Args:
        images: (N, 3, H, W) or (N, 1, H, W) in [0, 1], of 16 pixels a side or more; rounded to the levels of an 8-bit
            file. The strengths were made for 224 x 224 pixels.
        name: of the table CORRUPTIONS, such as "gaussian_noise", "fog" or "jpeg_compression".
        severity: 1 to 5.
        seed: one for all pictures, or one for each.

    Returns:
        (N, 3, H, W) in [0, 1], on the levels of an 8-bit file.

    Raises:
        UnknownNameError: no such corruption; the message lists the close names.
        InterpretError: a severity, pictures or seeds that are not valid.
    """
    name = name.replace("-", "_")
    if name not in CORRUPTIONS:
        raise UnknownNameError(f"no corruption {name!r}{did_you_mean(name, CORRUPTIONS)}")
    if severity not in SEVERITIES:
        raise InterpretError(f"a severity is one of 1 to 5, not {severity}")
    if images.dim() != 4 or images.shape[1] not in (1, 3) or min(images.shape[2:]) < SMALLEST:
        raise InterpretError(f"pictures to corrupt are (N, 3, H, W) of {SMALLEST} pixels a side or more")
    if images.numel() and not (images.min() >= 0 and images.max() <= 1):
        raise InterpretError("pictures to corrupt lie in [0, 1]")
    seeds = [seed] * len(images) if isinstance(seed, int) else list(seed)
    if len(seeds) != len(images):
        raise InterpretError(f"{len(images)} pictures need one seed, or {len(images)}, not {len(seeds)}")
    if not len(images):
        return in_colour(images).clone()
    draws = draws_for(name, severity, seeds)
    clean = (in_colour(images).float() * 255).round() / 255
    function = getattr(importlib.import_module(f".{CORRUPTIONS[name]}", __package__), name)
    levels = function(clean, severity, draws).clamp(0, 1) * 255
    return ((levels.round() if name in WHOLE else (levels + 1e-4).floor()) / 255).to(images.dtype)


def draws_for(name: str, severity: int, seeds: Sequence[int]) -> Draws:
    """The random numbers of pictures with these seeds; each corruption and severity draws its own."""
    return Draws([zlib.crc32(f"{seed} {name} {severity}".encode()) for seed in seeds])
