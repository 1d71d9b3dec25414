"""What happens to an image on its way through the world: compression, resizing, blur or noise of a given strength."""

import io

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import AttackError

# From the name to the default strength, the largest one, and its unit.
TRANSFORMS = {
    "jpeg": (90.0, 100.0, "QUALITY"),
    "resize": (0.5, 16.0, "FACTOR (and back)"),
    "blur": (1.0, 16.0, "PIXELS (sigma)"),
    "noise": (4.0, 100.0, "LEVELS"),
}


def robust_to(images: Tensor, name: str, strength: float | None = None, *, seed: int = 0) -> Tensor:
    """Images (N, 3, H, W) in [0, 1] after a transform of TRANSFORMS, to see whether adversarial ones still fool.

    Unlike the random transforms that attacks use, these are what programs do: they have no gradient, and are the same
    for every image. "jpeg" writes and reads a file, "resize" scales down and up again.
    """
    strength = checked_strength(name, strength)
    if name == "jpeg":
        return torch.cat([_jpeg(image, round(strength)) for image in images.split(1)])
    if name == "resize":
        height, width = images.shape[-2:]
        small = max(1, round(height * strength)), max(1, round(width * strength))
        shrunk = F.interpolate(images, small, mode="bilinear", antialias=True)
        return F.interpolate(shrunk, (height, width), mode="bilinear", antialias=True).clamp(0, 1)
    if name == "blur":
        from torchvision.transforms.functional import gaussian_blur

        reach = min(2 * round(3 * strength) + 1, *(2 * ((side - 1) // 2) + 1 for side in images.shape[-2:]))
        return gaussian_blur(images, [reach, reach], [strength, strength])
    drawn = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed)).to(images)
    return (images + drawn * strength / 255).clamp(0, 1)


def checked_strength(name: str, strength: float | None = None) -> float:
    """The strength of a transform, or its default; an error where it is out of range."""
    meanings = ", ".join(f"{known}:{unit}" for known, (_, _, unit) in TRANSFORMS.items())
    if name not in TRANSFORMS:
        raise AttackError(f"there is no transform {name!r}; there are {meanings}")
    usual, most, _ = TRANSFORMS[name]
    value = usual if strength is None else strength
    if not 0 < value <= most:
        raise AttackError(f"{name}:{value:g} is out of range; there are {meanings}")
    return value


def _jpeg(image: Tensor, quality: int) -> Tensor:
    """(1, 3, H, W) as it comes back from a JPEG file."""
    from PIL import Image

    levels = (image[0].detach() * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    content = io.BytesIO()
    Image.fromarray(levels).save(content, "JPEG", quality=quality)
    read = np.asarray(Image.open(content), dtype=np.float32) / 255
    return torch.from_numpy(read).permute(2, 0, 1)[None].to(image)
