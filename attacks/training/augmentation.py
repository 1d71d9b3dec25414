"""Pictures a little other in every epoch, so that a network does not learn them by heart."""

import torch
import torch.nn.functional as F
from torch import Tensor


def crop_and_mirror(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each picture by up to an eighth of its side, and mirror every other one (He et al. 2016, section 4.2).

    Args:
        images: (N, C, H, W), in [0, 1].
        generator: of the shifts and the mirror.

    Returns:
        (N, C, H, W); where a shift shows what lies outside of a picture, it is black.
    """
    count, _, height, width = images.shape
    margin = max(1, min(height, width) // 8)  # the 4 pixels that are usual for pictures of 32
    shifts = torch.randint(2 * margin + 1, (2, count, 1), generator=generator)
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    rows, columns = shifts[0] + torch.arange(height), shifts[1] + torch.arange(width)
    columns = torch.where(mirrored, columns.flip(1), columns)
    which, rows, columns = (
        places.to(images.device) for places in (torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None])
    )
    padded = F.pad(images, (margin,) * 4)
    # Copied into the like of what was given, so that channels-last pictures stay so.
    return torch.empty_like(images).copy_(padded[which, :, rows, columns].permute(0, 3, 1, 2))
