"""Momentum of gradients of which only the direction counts: what changes nothing stays as calm as it is."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


class Calm(torch.optim.Optimizer):
    """Steps along the mean of the last gradients, each divided by its own length, picture by picture.

    Adam gives every value of a parameter a step of the same size, also where its gradient is next to nothing; of a
    spectrum, that is a texture over all of the picture. Here the picture changes where the objective asks for it.

    Args:
        parameters: (N, ...) each, one row a picture.
        lr: root mean square of the change of a row in a step.
        momentum: share of the mean that is kept in a step.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.9) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step; the value of ``closure``, which is not needed for it."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            kept = group["momentum"]
            for parameter in group["params"]:
                flat = parameter.grad.flatten(1)
                direction = flat / flat.norm(dim=1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
                mean = self.state[parameter].setdefault("mean", torch.zeros_like(flat))
                mean.mul_(kept).add_(direction, alpha=1 - kept)
                parameter -= group["lr"] * flat.shape[1] ** 0.5 * mean.view_as(parameter)
        return loss
