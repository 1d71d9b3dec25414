"""Tiny models with known answers, for the tests of attacks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def linear(shape: tuple[int, ...], classes: int = 4, seed: int = 0, dtype: torch.dtype = torch.float64) -> nn.Module:
    """One linear layer on samples of a shape."""
    generator = torch.Generator().manual_seed(seed)
    size = int(torch.tensor(shape).prod())
    model = nn.Sequential(nn.Flatten(), nn.Linear(size, classes)).to(dtype)
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(classes, size, generator=generator))
        model[1].bias.copy_(0.1 * torch.randn(classes, generator=generator))
    return model.eval()


def convnet(classes: int = 5, seed: int = 0, dtype: torch.dtype = torch.float64) -> nn.Module:
    """Two convolutions, with a batch norm, on (N, 3, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, classes)).to(dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return model.eval()


class Rowwise(nn.Module):
    """Tanh and a linear layer on (N, 3, 6, 6) that sums each row by itself, so that the batch changes no bit."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        weight = torch.randn(classes, 108, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        self.weight = nn.Parameter(weight)

    def forward(self, images: Tensor) -> Tensor:
        return (torch.tanh(images.reshape(len(images), 1, -1) - 0.5) * self.weight).sum(2)


def samples(count: int, shape: tuple[int, ...], seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """(count, *shape) values away from 0 and 1, on the 8-bit grid."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, *shape, generator=generator) * 153 + 51).round().to(dtype) / 255


@torch.no_grad()
def predictions(model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """(N,) the classes that a model sees."""
    return model(images).argmax(1)


def boundary_distance(model: nn.Module, images: Tensor, labels: Tensor, norm: str) -> Tensor:
    """(N,) how far the nearest boundary of a linear model is, in a norm, whatever the box."""
    weight, logits = model[1].weight.detach(), model(images).detach()
    away = weight[labels][:, None] - weight[None]
    dual = {"Linf": away.abs().sum(2), "L2": away.norm(dim=2), "L1": away.abs().amax(2)}[norm]
    distance = (logits.gather(1, labels[:, None]) - logits) / dual
    return distance.masked_fill(nn.functional.one_hot(labels, len(weight)).bool(), torch.inf).amin(1)
