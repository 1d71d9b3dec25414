"""A task on which a network is trained in a second: which half of a small picture is bright."""

import torch
from torch import Tensor, nn

from attacks.training.run import Run
from attacks.training.settings import Settings

EPS = 0.2


class Bars:
    """(count, 1, 6, 6) pictures, the brighter half of which says the class, and a fine pattern that does too.

    The pattern tells the classes without fail, but by less than EPS; the halves hold against it.
    """

    def __init__(self, count: int, *, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(1000 + seed)
        self.labels = torch.randint(0, 2, (count,), generator=generator)
        bright = 0.2 + 0.3 * torch.rand(count, 1, 6, 6, generator=generator)
        upper = (self.labels == 0)[:, None, None, None] == (torch.arange(6) < 3)[:, None]
        sign = 2.0 * self.labels[:, None, None, None] - 1
        checks = 2.0 * ((torch.arange(6)[:, None] + torch.arange(6)) % 2) - 1
        self.images = (bright + 0.3 * upper + 0.15 * sign * checks).clamp(0, 1)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        return self.images[indices], self.labels[indices]


class Net(nn.Module):
    """A convolution with batch norm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(4 * 36, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.dropout(torch.relu(self.bn(self.conv(images))).flatten(1)))


def net(seed: int = 0) -> Net:
    """The network, with weights that are always the same."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return Net()


def run_of(**choices: object) -> Run:
    """A run that trains it."""
    settings = Settings(**{"eps": EPS, **choices})
    torch.manual_seed(settings.seed)
    return Run(net(settings.seed), settings, mean=torch.full((1,), 0.5), std=torch.full((1,), 0.5), classes=2)
