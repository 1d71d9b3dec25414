"""A folder of labelled pictures as a data set to train on: of one size, and in memory where they fit."""

from pathlib import Path

import torch
from torch import Tensor

from ..errors import InterpretError, PictureError
from ..images.files import read
from ..images.levels import to_levels
from ..progress import progress_bar
from .dataset import Dataset, in_memory, resized
from .folders import class_names, labelled_files, picture_files

LARGEST = 2 << 30  # how many bytes of pictures are kept in memory


def open_folder(root: Path, *, train: bool, size: tuple[int, int] | None) -> Dataset:
    """The pictures of a folder (see ``labelled_files``), in colour, with the classes of those to train on.

    Each is resized and cropped from the centre to a height and a width, as a Classifier does it; without a size they
    must have one size already. They are read once and kept or, if that takes more than 2 GiB, whenever needed.
    """
    fitting = labelled_files(root, train=True) if picture_files(root, recursive=True) else []
    names = class_names(fitting)
    if len(names) < 2:
        raise InterpretError(
            f"{root} has {len(names)} classes of pictures; a data set has one folder of pictures for each class, "
            "or train and test with such folders in them"
        )
    files = fitting if train else labelled_files(root, train=False)
    strange = next((file for file in files if file.label not in names), None)
    if strange is not None:
        raise InterpretError(f"{strange.inside} shows {strange.label!r}, a class that has no pictures to train on")
    files = sorted(files, key=lambda file: names.index(file.label))
    labels = torch.tensor([names.index(file.label) for file in files])
    return _data([file.path for file in files], labels, names, size)


def _data(files: list[Path], labels: Tensor, names: list[str], size: tuple[int, int] | None) -> Dataset:
    height, width = read(files[0]).shape[-2:] if size is None else size

    def decoded(file: Path) -> Tensor:
        return _decode(file, (height, width), resizing=size is not None)

    if len(files) * 3 * height * width > LARGEST:
        return Dataset(
            lambda indices: torch.stack([decoded(files[index]) for index in indices.tolist()]),
            labels,
            tuple(names),
            (3, height, width),
        )
    pixels = torch.empty(len(files), 3, height, width, dtype=torch.uint8)
    with progress_bar(len(files), "reading", "picture") as bar:
        for index, file in enumerate(files):
            pixels[index] = decoded(file)
            bar.update()
    return in_memory(pixels, labels, names)


def _decode(file: Path, size: tuple[int, int], *, resizing: bool) -> Tensor:
    """A picture file as levels (3, *size)."""
    image = read(file)
    height, width = image.shape[-2:]
    if (height, width) != size and not resizing:
        raise InterpretError(
            f"{file} has {width} x {height} pixels, others {size[1]} x {size[0]}; give the size to resize them to"
        )
    try:
        return to_levels(image if (height, width) == size else resized(image, size))[0]
    except PictureError as error:
        raise PictureError(f"{file}: {error}") from error
