"""Images that differ a little in every epoch, so that a network does not learn them by heart."""

import torch
import torch.nn.functional as F
from torch import Tensor


def crop_and_mirror(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images (N, C, H, W), each shifted by up to an eighth of its side, and half of them mirrored.

    What a shift uncovers is black (He et al. 2016, section 4.2).
    """
    count, _, height, width = images.shape
    margin = max(1, min(height, width) // 8)  # 4 pixels, as usual, for images of 32
    shifts = torch.randint(2 * margin + 1, (2, count, 1), generator=generator)
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    rows, columns = shifts[0] + torch.arange(height), shifts[1] + torch.arange(width)
    columns = torch.where(mirrored, columns.flip(1), columns)
    which, rows, columns = (
        places.to(images.device) for places in (torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None])
    )
    padded = F.pad(images, (margin,) * 4)
    # Copied into a tensor like the one that was given, so that the memory format stays.
    return torch.empty_like(images).copy_(padded[which, :, rows, columns].permute(0, 3, 1, 2))
