"""What becomes of an adversarial picture on its way through the world: compression, resizing, blur, noise."""

import io
from typing import TYPE_CHECKING

from interpret.errors import InterpretError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

DEFAULTS = {"jpeg": 90.0, "resize": 0.5, "blur": 1.0, "noise": 4.0}
MEANINGS = "jpeg:QUALITY, resize:FACTOR (and back), blur:PIXELS (sigma), noise:LEVELS"


def parse(through: str | None, jpeg: int | None) -> list[tuple[str, float]]:
    """The ways to try, from "resize,jpeg:75,blur" and a quality of JPEG.

    Raises:
        InterpretError: a way that does not exist, or a strength that makes no sense.
    """
    words = [word.strip() for word in (through or "").split(",") if word.strip()]
    ways = [_way(word) for word in words]
    return ways + ([("jpeg", float(jpeg))] if jpeg else [])


def _way(word: str) -> tuple[str, float]:
    name, _, strength = word.partition(":")
    if name not in DEFAULTS:
        raise InterpretError(f"--through knows {MEANINGS}; not {name!r}{did_you_mean(name, DEFAULTS)}")
    try:
        value = float(strength) if strength else DEFAULTS[name]
    except ValueError:
        value = -1.0
    if not 0 < value <= (100 if name in ("jpeg", "noise") else 16):
        raise InterpretError(f"{word!r} makes no sense; --through knows {MEANINGS}")
    return name, value


def sent_through(image: "Tensor", name: str, strength: float, seed: int = 0) -> "Tensor":
    """A picture as it arrives.

    Args:
        image: (1, 3, H, W) in [0, 1].
        name: one of DEFAULTS.
        strength: the quality, factor, sigma in pixels, or standard deviation in levels.
        seed: of noise.

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    import torch
    import torch.nn.functional as F

    if name == "jpeg":
        from interpret.pictures import encode, read, to_pil

        content = io.BytesIO(encode(to_pil(image.cpu()), ".jpg", quality=round(strength)))
        return read(content).to(image)
    if name == "resize":
        height, width = image.shape[-2:]
        small = max(1, round(height * strength)), max(1, round(width * strength))
        shrunk = F.interpolate(image, small, mode="bilinear", antialias=True)
        return F.interpolate(shrunk, (height, width), mode="bilinear", antialias=True).clamp(0, 1)
    if name == "blur":
        from torchvision.transforms.functional import gaussian_blur

        reach = min(2 * round(3 * strength) + 1, *(2 * ((side - 1) // 2) + 1 for side in image.shape[-2:]))
        return gaussian_blur(image, [reach, reach], [strength, strength])
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(image.shape, generator=generator).to(image)
    return (image + drawn * strength / 255).clamp(0, 1)
