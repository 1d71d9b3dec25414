"""Pictures of one shape with their classes, to train on: in batches, in parts, and their mean and deviation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import InterpretError
from ..geometry import fit
from ..images.levels import from_levels, to_levels
from ..progress import progress_bar

CHUNK = 1000  # how many pictures are worked on at a time


@dataclass(frozen=True, eq=False)
class Dataset:
    """N pictures of one shape with their classes.

    Args:
        pixels: a function from indices (n,) to (n, C, H, W), uint8 levels or float32 in [0, 1].
        labels: (N,) int64, the class of each picture.
        names: of the classes, in order.
        shape: (C, H, W).
    """

    pixels: Callable[[Tensor], Tensor]
    labels: Tensor
    names: tuple[str, ...]
    shape: tuple[int, int, int]

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures at indices (n,), as images (n, C, H, W) float32 in [0, 1], and their labels (n,)."""
        pixels = self.pixels(indices)
        return (pixels if pixels.is_floating_point() else from_levels(pixels)), self.labels[indices]

    def part(self, indices: Tensor) -> "Dataset":
        """A data set of the pictures at indices (n,) alone; pictures in memory are not copied."""
        return replace(self, pixels=lambda wanted: self.pixels(indices[wanted]), labels=self.labels[indices])


def in_memory(pixels: Tensor, labels: Tensor, names: Sequence[str], size: tuple[int, int] | None = None) -> Dataset:
    """A data set of pictures (N, C, H, W), uint8 levels or floating point in [0, 1], and labels (N,), indices of names.

    With a size, height and width, the pictures are resized and cropped from the centre to it.
    """
    if pixels.dim() != 4 or labels.shape != pixels.shape[:1] or 0 in pixels.shape:
        shapes = f"images of shape {tuple(pixels.shape)} and labels of shape {tuple(labels.shape)}"
        raise InterpretError(f"{shapes}, where N images (N, C, H, W) and N labels (N,) are needed")
    if pixels.dtype != torch.uint8:
        to_levels(pixels)  # refuses what is not in [0, 1]
        pixels = pixels.float()
    if labels.is_floating_point() or labels.min() < 0 or labels.max() >= len(names) or len(names) < 2:
        span = f"from {labels.min().item()} to {labels.max().item()}"
        raise InterpretError(
            f"the labels are whole numbers from 0 to {len(names) - 1} of 2 or more classes, not {span}"
        )
    if size is not None and tuple(size) != tuple(pixels.shape[-2:]):
        pixels = torch.cat([resized(chunk, size) for chunk in pixels.split(CHUNK)])
    return Dataset(pixels.__getitem__, labels.long(), tuple(names), tuple(pixels.shape[1:]))


def resized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures (N, C, *size) of (N, C, H, W), either as uint8 levels or as float32 in [0, 1].

    They are what a Classifier with ``input_size=size, interpolation="bilinear"`` would show to its network.
    """
    images = pixels if pixels.is_floating_point() else from_levels(pixels)
    images = fit(tuple(images.shape[-2:]), tuple(size), interpolation="bilinear").apply(images).clamp(0, 1)
    return images if pixels.is_floating_point() else to_levels(images)


def split(data: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Set a part of the training pictures aside, the same share of every class.

    Args:
        data: the training pictures.
        share: of each class, between 0 and 1; at least one picture of a class is set aside, and never all.
        seed: chooses the pictures, whatever the state of torch's global generator.

    Returns:
        The pictures that are left to train on, and those that are set aside, each in the order of ``data``.

    Raises:
        InterpretError: the share is out of range, or leaves one part empty.
    """
    if not 0 < share < 1:
        raise InterpretError(f"the share to set aside is between 0 and 1, not {share}")
    generator, aside = torch.Generator().manual_seed(seed), torch.zeros(len(data), dtype=torch.bool)
    for label in range(len(data.names)):
        members = (data.labels == label).nonzero().flatten()
        count = min(max(1, round(share * len(members))), len(members) - 1)
        aside[members[torch.randperm(len(members), generator=generator)[: max(count, 0)]]] = True
    if not aside.any():
        raise InterpretError("no class has two pictures, so none can be set aside; add pictures")
    return data.part((~aside).nonzero().flatten()), data.part(aside.nonzero().flatten())


def mean_and_std(data: Dataset) -> tuple[list[float], list[float]]:
    """The mean and the standard deviation of each channel over all pictures, for a network's normalisation.

    Args:
        data: the pictures.

    Returns:
        C means in [0, 1] and C deviations, which are at least 1/255, one 8-bit level.
    """
    sums = torch.zeros(2, data.shape[0], dtype=torch.float64)
    with progress_bar(len(data), "mean and deviation", "picture") as bar:
        for indices in torch.arange(len(data)).split(CHUNK):
            pixels = data.batch(indices)[0].double()
            sums += torch.stack([pixels.sum((0, 2, 3)), pixels.square().sum((0, 2, 3))])
            bar.update(len(indices))
    mean, square = sums / (len(data) * data.shape[1] * data.shape[2])
    return mean.tolist(), (square - mean.square()).clamp_min(0).sqrt().clamp_min(1 / 255).tolist()
