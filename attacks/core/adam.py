"""Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980) on one tensor that all samples share."""

import torch
from torch import Tensor


class Adam:
    """The steps of algorithm 1, along gradients of what is to rise.

    Args:
        like: the tensor that is changed; a step has its shape.
        fresh: share of a new square in their mean (1 - beta 2); beta 1 is 0.9.
    """

    def __init__(self, like: Tensor, fresh: float = 0.001) -> None:
        self.fresh, self.taken = fresh, 0
        self.mean = self.square = torch.zeros_like(like)

    def step(self, gradient: Tensor, size: float) -> Tensor:
        """What to add to the tensor: about so much to each value where gradients agree."""
        self.taken += 1
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = (1 - self.fresh) * self.square + self.fresh * gradient**2
        length = (self.square / (1 - (1 - self.fresh) ** self.taken)).sqrt().clamp_min(1e-12)
        return size * self.mean / (1 - 0.9**self.taken) / length
