"""Passes in narrow numbers, and the gradients of pictures that would be lost in them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

# What passes are computed in; None leaves it to the weights.
PRECISIONS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
MAGNIFIED = 1024.0  # by how much fp16 gradients are larger inside of the network: 6e-11 to 64 are told apart from 0


def narrowed(precision: str, device: torch.device) -> AbstractContextManager:
    """A block whose passes are computed in a precision."""
    kind = PRECISIONS[precision]
    return nullcontext() if kind is None else torch.autocast(device.type, kind)


def magnified(model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """The logits of a model whose gradients in fp16 are large enough to come through to the images.

    They are multiplied after the logits and divided before the images, so that these get what they
    would get without; where one overflowed, it is as steep as numbers allow, or 0 where it is unknown.

    Args:
        model: from images (n, ...) to logits (n, C); the gradients of its weights come out magnified.
        images: (n, ...).
    """
    if not (torch.is_grad_enabled() and images.requires_grad):
        return model(images)
    entered = images.view_as(images)
    entered.register_hook(lambda gradient: gradient.nan_to_num() / MAGNIFIED)
    logits = model(entered)
    if logits.requires_grad:  # else the attack says what is wrong
        logits.register_hook(lambda gradient: gradient * MAGNIFIED)
    return logits
