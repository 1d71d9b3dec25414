"""How accurate a network is: on clean pictures, and under attacks."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from .. import distributed
from ..core.labels import predictions
from ..fgsm import fgsm
from ..pgd import pgd

Model = Callable[[Tensor], Tensor]


class Data(Protocol):
    """Labelled pictures: how many, and some of them."""

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (n, C, H, W) in [0, 1] and labels (n,)."""


def quick(model: Model, data: Data, eps: float, *, device: torch.device, batch_size: int, seed: int = 0) -> dict:
    """Accuracy on clean pictures, after one step ("fgsm") and after ten ("pgd"), over all processes.

    Args:
        model: from images (n, ...) to logits (n, C), in evaluation mode.
        data: labelled pictures.
        eps: radius of the Linf ball.
        device: of the model.
        batch_size: how many pictures at a time.
        seed: of the attack's start.

    Returns:
        Name to accuracy, in [0, 1].
    """
    attacks = {
        "clean": lambda images, labels: images,
        "fgsm": lambda images, labels: fgsm(model, images, labels, eps=eps),
        "pgd": lambda images, labels: pgd(model, images, labels, eps=eps, steps=10, stop_when_fooled=True, seed=seed),
    }
    return accuracies(model, data, attacks, device=device, batch_size=batch_size)


def thorough(
    model: Model, data: Data, eps: float, *, device: torch.device, batch_size: int, restarts: int = 3, seed: int = 0
) -> dict[str, float]:
    """Accuracy on clean pictures, under FGSM and under PGD-50 with restarts; else as ``quick``."""
    attacks = {
        "clean": lambda images, labels: images,
        "fgsm": lambda images, labels: fgsm(model, images, labels, eps=eps),
        "pgd50": lambda images, labels: pgd(
            model, images, labels, eps=eps, steps=50, restarts=restarts, stop_when_fooled=True, seed=seed
        ),
    }
    return accuracies(model, data, attacks, device=device, batch_size=batch_size)


def accuracies(
    model: Model,
    data: Data,
    attacks: dict[str, Callable[[Tensor, Tensor], Tensor]],
    *,
    device: torch.device,
    batch_size: int,
) -> dict[str, float]:
    """The share of pictures that are right before and after each attack; who is wrong before stays so."""
    right = torch.zeros(len(attacks) + 1, dtype=torch.float64, device=device)
    for indices in distributed.own(torch.arange(len(data))).split(batch_size):
        images, labels = (part.to(device) for part in data.batch(indices))
        stands = predictions(model, images) == labels
        right[-1] += len(labels)
        for number, attack in enumerate(attacks.values()):
            if stands.any():
                found = attack(images[stands], labels[stands])
                right[number] += (predictions(model, found) == labels[stands]).sum()
    distributed.summed([right])
    return {name: float(right[number] / right[-1]) for number, name in enumerate(attacks)}
