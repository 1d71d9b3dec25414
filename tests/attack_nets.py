"""Tiny models with known answers, for the tests of attacks."""

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


def samples(count: int, shape: tuple[int, ...], seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """(count, *shape) values away from 0 and 1, on the 8-bit grid."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, *shape, generator=generator) * 153 + 51).round().to(dtype) / 255
