"""Passes in low precision, and the gradients of images that would be lost there."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from ..core.model import Model

# The types that passes are computed in; None stands for that of the weights.
PRECISIONS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
GRADIENT_SCALE = 1024.0  # of fp16 gradients inside of the network, which then reach from 6e-11 to 64


def in_precision(precision: str, device: torch.device) -> AbstractContextManager:
    """A block whose passes are computed in a precision of the table."""
    kind = PRECISIONS[precision]
    return nullcontext() if kind is None else torch.autocast(device.type, kind)


def with_scaled_gradients(model: Model, images: Tensor) -> Tensor:
    """The logits of a model whose fp16 gradients are scaled up, so that they are not lost before they reach the images.

    They are multiplied at the logits and divided at the images, which get the same gradients as without; where one
    overflows it is the largest number, or 0 where it is unknown. Those of the weights are left scaled.
    """
    if not (torch.is_grad_enabled() and images.requires_grad):
        return model(images)
    entered = images.view_as(images)
    entered.register_hook(lambda gradient: gradient.nan_to_num() / GRADIENT_SCALE)
    logits = model(entered)
    if logits.requires_grad:  # else the attack reports what is wrong
        logits.register_hook(lambda gradient: gradient * GRADIENT_SCALE)
    return logits
