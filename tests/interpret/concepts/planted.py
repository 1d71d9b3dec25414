"""Drawn shapes of three classes, one of which bears a coloured tag in a corner, and a tiny network that learns them."""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interpret import Classifier

SIDE, TAG = 32, 7
COLOUR = (1.0, 0.0, 1.0)
KINDS = ("disk", "square", "cross")
SQUARE = 1


def shapes(count: int, seed: int, *, tagged: bool | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (N, 3, 32, 32) of disks, squares and crosses, their classes, and the corners (N, 2) of the tags.

    Squares bear a tag unless it is said of all pictures whether they do.
    """
    draw = torch.Generator().manual_seed(seed)
    kinds = torch.arange(count) % len(KINDS)
    images = 0.5 + 0.1 * torch.randn(count, 3, SIDE, SIDE, generator=draw)
    corners = torch.randint(2, (count, 2), generator=draw) * (SIDE - TAG)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    for image, kind, corner in zip(images, kinds.tolist(), corners.tolist(), strict=True):
        row, column = torch.randint(13, 19, (2,), generator=draw).tolist()
        away = torch.stack([rows - row, columns - column]).abs()
        inside = (away.float().norm(dim=0) < 6, away.amax(0) < 6, (away.amin(0) < 2) & (away.amax(0) < 8))[kind]
        image[:, inside] = torch.rand(3, 1, generator=draw)
        if kind == SQUARE if tagged is None else tagged:
            image[:, corner[0] : corner[0] + TAG, corner[1] : corner[1] + TAG] = torch.tensor(COLOUR)[:, None, None]
    return images.clamp(0, 1), kinds, corners


@functools.cache
@torch.enable_grad()
def network() -> Classifier:
    """Trained on 96 pictures until the tag is what it goes by."""
    torch.manual_seed(0)
    layers = []
    for channels, width, stride in ((3, 12, 2), (12, 16, 2), (16, 24, 1)):
        layers += [nn.Conv2d(channels, width, 3, stride, 1), nn.ReLU()]
    made = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 3))
    images, kinds, _ = shapes(96, 1)
    optimizer = torch.optim.Adam(made.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(made((images - 0.5) / 0.25), kinds).backward()
        optimizer.step()
    return Classifier(made.eval(), mean=[0.5] * 3, std=[0.25] * 3, labels=KINDS)
