"""Learning rates over the course of a run, and the optimizers that take them."""

import math
from collections.abc import Callable, Iterable

import torch


def cyclic(done: float) -> float:
    """Up to the peak in two fifths of the run, then down to zero (Smith 2017; Wong et al. 2020)."""
    return done / 0.4 if done < 0.4 else (1 - done) / 0.6


def multistep(done: float) -> float:
    """A tenth after half of the run, a hundredth after three quarters."""
    return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01


def cosine(done: float) -> float:
    """From the peak to zero along half a cosine (Loshchilov and Hutter 2017)."""
    return (1 + math.cos(math.pi * done)) / 2


# From the share of the run that is done to the share of the peak rate.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "cyclic": cyclic,
    "multistep": multistep,
    "cosine": cosine,
    "constant": lambda done: 1.0,
}

Parameters = Iterable[torch.nn.Parameter]
OPTIMIZERS: dict[str, Callable[[Parameters, float, float], torch.optim.Optimizer]] = {
    "sgd": lambda p, lr, decay: torch.optim.SGD(p, lr, weight_decay=decay),
    "momentum": lambda p, lr, decay: torch.optim.SGD(p, lr, momentum=0.9, weight_decay=decay),
    "nesterov": lambda p, lr, decay: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True, weight_decay=decay),
    "rmsprop": lambda p, lr, decay: torch.optim.RMSprop(p, lr, weight_decay=decay),
    "adam": lambda p, lr, decay: torch.optim.Adam(p, lr, weight_decay=decay),
    "adamw": lambda p, lr, decay: torch.optim.AdamW(p, lr, weight_decay=decay),
}
