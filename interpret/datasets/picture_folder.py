"""A folder of labelled pictures as data to train on: all of one size, in memory where they fit."""

from pathlib import Path

import torch
from torch import Tensor

from ..errors import InterpretError, PictureError
from ..images.files import read
from ..images.levels import to_levels
from ..progress import progress_bar
from .dataset import Data, in_memory, resized
from .folders import class_names, labelled_files, picture_files

LARGEST = 2 << 30  # bytes of pictures that are kept in memory


def open_folder(root: Path, *, train: bool, size: tuple[int, int] | None) -> Data:
    """The pictures in a folder of labelled pictures, in colour.

    Each is resized (its shorter side) and cropped from the centre as a Classifier would do it. They are
    read once and kept, or, where they would take more than 2 GiB, read whenever they are needed.

    Args:
        root: the data set; see ``labelled_files``.
        train: whether the pictures to train on are meant, or those to test on.
        size: height and width to resize to; by default the pictures must have one size already.

    Returns:
        The data; the classes are those of the pictures to train on.

    Raises:
        InterpretError: fewer than two classes, a class that has no pictures to train on, or pictures of several sizes.
        PictureError: a picture that cannot be read.
    """
    fitting = labelled_files(root, train=True) if picture_files(root, recursive=True) else []
    names = class_names(fitting)
    if len(names) < 2:
        raise InterpretError(
            f"{root} has {len(names)} classes of pictures; it holds one folder of pictures for each class, "
            "or train and test with these in them"
        )
    files = fitting if train else labelled_files(root, train=False)
    strange = next((file for file in files if file.label not in names), None)
    if strange is not None:
        raise InterpretError(f"{strange.inside} shows {strange.label!r}, a class that has no pictures to train on")
    files = sorted(files, key=lambda file: names.index(file.label))
    labels = torch.tensor([names.index(file.label) for file in files])
    return _data([file.path for file in files], labels, names, size)


def _data(files: list[Path], labels: Tensor, names: list[str], size: tuple[int, int] | None) -> Data:
    height, width = read(files[0]).shape[-2:] if size is None else size

    def decoded(file: Path) -> Tensor:
        return _decode(file, (height, width), resizing=size is not None)

    if len(files) * 3 * height * width > LARGEST:
        return Data(
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
            f"{file} has {width} x {height} pixels, others {size[1]} x {size[0]}; give the size to bring them to"
        )
    try:
        return to_levels(image if (height, width) == size else resized(image, size))[0]
    except PictureError as error:
        raise PictureError(f"{file}: {error}") from error
