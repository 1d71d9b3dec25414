"""Arrays as pictures, where their numbers have one meaning."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import InterpretError


def picture_in(array: np.ndarray) -> Image.Image | Tensor:
    """An array (H, W) or (H, W, C) of levels as a Pillow picture, one of numbers in [0, 1] as (1, 3, H, W).

    Any other array is an InterpretError.
    """
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or array.size == 0:
        raise InterpretError(f"an array is a picture (H, W) or (H, W, C) of 1, 3 or 4 channels, not {array.shape}")
    if channels == 1:
        array = array.reshape(array.shape[:2])
    if array.dtype == np.uint8:
        return Image.fromarray(array)
    if array.dtype.kind != "f" or not ((array >= 0) & (array <= 1)).all() or channels == 4:
        raise InterpretError(
            f"an array holds 8-bit levels (uint8), or floating point numbers in [0, 1] of 1 or 3 channels, not "
            f"{array.dtype} from {array.min():.4g} to {array.max():.4g}"
        )
    colours = torch.from_numpy(np.array(np.atleast_3d(array), dtype=np.float32))
    return colours.permute(2, 0, 1)[None].expand(1, 3, -1, -1).contiguous()
