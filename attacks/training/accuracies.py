"""How accurate a network is: on clean images, and under attacks."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from .. import distributed
from ..core.labels import predictions
from ..core.model import Model
from ..fgsm import fgsm
from ..pgd import pgd

Attack = Callable[[Model, Tensor, Tensor], Tensor]  # with its options; from a model, images and labels to images


class Data(Protocol):
    """Labelled images: how many there are, and some of them."""

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, C, H, W) in [0, 1] and labels (n,)."""


def quick(model: Model, data: Data, eps: float, *, device: torch.device, batch_size: int) -> dict[str, float]:
    """Accuracies in [0, 1] on clean images, after one step ("fgsm") and after ten ("pgd"); as ``accuracies``."""
    attacks = {"fgsm": partial(fgsm, eps=eps), "pgd": partial(pgd, eps=eps, steps=10, stop_when_fooled=True)}
    return accuracies(model, data, attacks, device=device, batch_size=batch_size)


def thorough(
    model: Model, data: Data, eps: float, *, device: torch.device, batch_size: int, restarts: int = 3
) -> dict[str, float]:
    """Accuracies in [0, 1] on clean images, under FGSM and under PGD-50 with restarts; as ``accuracies``."""
    pgd50 = partial(pgd, eps=eps, steps=50, restarts=restarts, stop_when_fooled=True)
    attacks = {"fgsm": partial(fgsm, eps=eps), "pgd50": pgd50}
    return accuracies(model, data, attacks, device=device, batch_size=batch_size)


def accuracies(
    model: Model, data: Data, attacks: dict[str, Attack], *, device: torch.device, batch_size: int
) -> dict[str, float]:
    """The share of samples, over all processes, that a model in evaluation mode gets right: "clean", and under attacks.

    A sample that is wrong when clean is wrong under every attack.
    """
    right = torch.zeros(len(attacks) + 2, dtype=torch.float64, device=device)
    for indices in distributed.own(torch.arange(len(data))).split(batch_size):
        images, labels = (part.to(device) for part in data.batch(indices))
        clean = predictions(model, images) == labels
        right[-1] += len(labels)
        right[0] += clean.sum()
        if clean.any():
            images, labels = images[clean], labels[clean]
            for number, attack in enumerate(attacks.values(), start=1):
                right[number] += (predictions(model, attack(model, images, labels)) == labels).sum()
    distributed.summed([right])
    return {name: float(right[number] / right[-1]) for number, name in enumerate(["clean", *attacks])}
