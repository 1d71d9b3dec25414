"""What a user trains on, as the loop takes it: any labelled data set of torch, or two tensors."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.ball import check_images
from ..errors import AttackError
from .accuracies import Data


def as_data(given: Any, size: Sequence[int] | None = None) -> Data:
    """Labelled images from a torch ``Dataset`` of (image, label), a pair of tensors, or what has ``batch`` already.

    Images are (C, H, W) in [0, 1] or uint8, or what becomes an array (H, W, C), such as a PIL picture. With a size,
    height and width, all are resized to it; by default to that of the first one, if they differ.
    """
    if callable(getattr(given, "batch", None)):
        return given
    if isinstance(given, tuple | list) and len(given) == 2 and all(hasattr(part, "shape") for part in given):
        images, labels = (torch.as_tensor(part) for part in given)
        if len(images) != len(labels):
            raise AttackError(f"{len(images)} images and {len(labels)} labels are no pairs")
        given = torch.utils.data.TensorDataset(images, labels)
    if not (hasattr(given, "__getitem__") and hasattr(given, "__len__")):
        raise AttackError(f"data is a Dataset of (image, label) or two tensors, not {type(given).__name__}")
    if not len(given):
        raise AttackError("there are no images to train on")
    return Samples(given, size)


class Samples:
    """A torch ``Dataset`` of (image, label), in batches of one size."""

    def __init__(self, dataset: Any, size: Sequence[int] | None = None) -> None:
        self.dataset = dataset
        self.size = tuple(size or _image(dataset[0][0]).shape[-2:])
        self._labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.dataset)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, C, *size) in [0, 1] and labels (n,)."""
        items = [self.dataset[index] for index in indices.tolist()]
        images = [resized(_image(item[0]), self.size) for item in items]
        if len({len(image) for image in images}) > 1:
            raise AttackError("the images have different numbers of channels; convert them to one mode first")
        stacked = torch.stack(images)
        check_images(stacked)
        return stacked.clamp(0, 1), torch.tensor([int(item[1]) for item in items])

    @property
    def labels(self) -> Tensor:
        """(N,) all labels; read once, where the data set does not hold them by themselves."""
        if self._labels is None:
            held = getattr(self.dataset, "targets", getattr(self.dataset, "labels", None))
            held = [int(self.dataset[index][1]) for index in range(len(self))] if held is None else held
            self._labels = torch.as_tensor(held).long()
        return self._labels


class Part:
    """Some of the samples of a data set."""

    def __init__(self, data: Data, indices: Tensor) -> None:
        self.data, self.indices = data, indices

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, C, H, W) in [0, 1] and labels (n,)."""
        return self.data.batch(self.indices[indices])

    @property
    def labels(self) -> Tensor:
        """(N,) all labels."""
        held = getattr(self.data, "labels", None)
        return _labels_read(self) if held is None else held[self.indices]


def labels_of(data: Data) -> Tensor:
    """(N,) the labels of a data set."""
    held = getattr(data, "labels", None)
    return _labels_read(data) if held is None else held


def _labels_read(data: Data) -> Tensor:
    """The labels of a data set that does not hold them by themselves, so that its pictures are read too."""
    return torch.cat([data.batch(part)[1] for part in torch.arange(len(data)).split(1000)])


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """An image (C, *size) of (C, H, W)."""
    if tuple(image.shape[-2:]) == size:
        return image
    return F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)[0].clamp(0, 1)


def _image(given: Any) -> Tensor:
    """(C, H, W) in [0, 1]."""
    if isinstance(given, Tensor):
        image = given if given.dim() > 2 else given[None]
    else:
        import numpy  # which a PIL picture becomes

        image = torch.from_numpy(numpy.array(given))
        image = image.permute(2, 0, 1) if image.dim() == 3 else image[None]
    return image.float() / 255 if image.dtype == torch.uint8 else image.float()
