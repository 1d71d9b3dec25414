"""What a method is given as its images: tensors as they are, once checked, and whatever has one meaning besides."""

import os
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..classifier import Classifier
from ..errors import InterpretError
from .files import read

Images = Tensor | Image.Image | np.ndarray | str | os.PathLike | BinaryIO
OVERSHOOT = 0.25  # how far bicubic resizing may take the network's own inputs out of [0, 1]


def images_given(classifier: nn.Module, images: Any) -> Tensor:
    """Images (N, ...) as a method takes them: a tensor, a Pillow picture, an array (H, W, C), a path or a file.

    Those of a Classifier are finite floating point numbers in [0, 1]; another module may take any finite ones. An
    InterpretError says in one sentence what is wrong with them.
    """
    if not isinstance(images, Tensor):
        if not (isinstance(images, str | os.PathLike | Image.Image | np.ndarray) or hasattr(images, "read")):
            raise InterpretError(
                "images are a tensor (N, C, H, W) in [0, 1], or one picture as a Pillow image, an array (H, W, C) or "
                f"a path, not a {type(images).__name__}"
            )
        first = next(classifier.buffers() if isinstance(classifier, Classifier) else classifier.parameters(), None)
        return read(images).to(first.device if first is not None else "cpu")
    if not images.is_floating_point():
        raise InterpretError(f"images are floating point numbers in [0, 1], not {images.dtype}; divide levels by 255")
    if not bool(torch.isfinite(images).all()):
        raise InterpretError("images hold NaN or infinite values")
    if isinstance(classifier, Classifier):
        _check_range(images, OVERSHOOT if classifier.laid_on_grid else 0.0)
    return images


def _check_range(images: Tensor, beyond: float) -> None:
    if images.numel() == 0:
        return
    low, high = (float(bound) for bound in images.detach().aminmax())
    if low < -beyond or high > 1 + beyond:
        levels = low >= 0 and high <= 255
        remedy = "divide levels by 255" if levels else "the classifier normalises them itself"
        raise InterpretError(f"images lie in [0, 1], not in [{low:.4g}, {high:.4g}]; {remedy}")
