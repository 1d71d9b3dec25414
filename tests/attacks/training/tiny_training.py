"""A task on which a network is trained in a second: which half of a small picture is bright."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from attacks.training.batch import Batch
from attacks.training.events import Watch
from attacks.training.loop import train
from attacks.training.run import Run
from attacks.training.settings import Settings
from interpret.models.saved import Recipe, read_trained, save_trained

EPS = 0.2
RECIPE = Recipe("tiny", classes=2, channels=1, size=(6, 6), labels=("upper", "lower"), mean=(0.5,), std=(0.5,))


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


def trained(
    run: Run, data: Bars, validation: Bars, folder: Path, *, resume: bool = False, watch: Watch | None = None
) -> list:
    """The history of a run that writes files as `interp train` does, or goes on from them."""
    begun = read_trained(folder / "last.pt")[2] if resume else None
    return train(run, data, validation, folder, save=save, resume=begun, watch=watch)


def save(path: Path, weights: dict[str, Tensor], training: dict[str, Any]) -> None:
    """Write a file as `interp train` does."""
    save_trained(path, weights, RECIPE, training=training)


def batch_of(run: Run, images: Tensor, labels: Tensor, **changes: Any) -> Batch:
    """What the loop gives a defense, in evaluation mode for attacks."""
    given = {"model": run.model, "attacked": run.evaluated, "eps": EPS, "generator": run.generator, "memory": {}}
    return Batch(images=images, labels=labels, **{**given, **changes})


def keeping(model: Callable[[Tensor], Tensor], kept: list[Tensor]) -> Callable[[Tensor], Tensor]:
    """The model, which keeps the points that it is asked about."""

    def asked(points: Tensor) -> Tensor:
        kept.append(points.detach().clone())
        return model(points)

    return asked
