"""The network that explainers are measured on, and the least that PyTorch can do for them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from interpret import recorded

Run = Callable[[], object]
LAYER = "layer4"


def fresh_network() -> nn.Module:
    """ResNet-18 in channels-last order; a new one for each job, because peers leave hooks behind."""
    from torchvision import models  # here, because a process that counts its seconds needs it not

    torch.manual_seed(0)
    return models.resnet18().eval().requires_grad_(False).to(memory_format=torch.channels_last)


def zeros(images: Tensor) -> Tensor:
    """(N,) the class that everybody explains."""
    return torch.zeros(len(images), dtype=torch.long)


def limit(network: Callable[[Tensor], Tensor], images: Tensor, times: int = 1) -> Run:
    """Forward and backward to the images, several times."""
    images = images.to(memory_format=torch.channels_last)

    def run() -> None:
        for _ in range(times):
            source = images.detach().clone().requires_grad_()
            score = network(source)[:, 0].sum()
            torch.autograd.grad(score, source)

    return run


def limit_above_layer(network: nn.Module, images: Tensor) -> Run:
    """Forward, and backward to one layer."""

    def run() -> None:
        with recorded(network, LAYER, cut=True) as recording:
            score = network(images)[:, 0].sum()
        torch.autograd.grad(score, recording[LAYER])

    return run


def limit_forward(network: Callable[[Tensor], Tensor], images: Tensor, times: int) -> Run:
    """Forward alone, several times."""

    def run() -> None:
        with torch.no_grad():
            for _ in range(times):
                network(images)

    return run
