"""Pictures in folders, one for each class and named after it, with or without train and test above them."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ..errors import InterpretError, PictureError
from ..images.files import read
from ..images.levels import to_levels
from ..progress import progress_bar
from .dataset import Data, in_memory, resized

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif")
TRAIN = ("train", "training")
TEST = ("test", "testing", "val", "valid", "validation")
LARGEST = 2 << 30  # bytes of pictures that are kept in memory
REMEDY = "it holds one folder of pictures for each class, or train and test with these in them"


def open_folder(root: Path, *, train: bool, size: tuple[int, int] | None) -> Data:
    """The pictures in a folder of class folders, in colour.

    Each is resized (its shorter side) and cropped from the centre as a Classifier would do it. They are
    read once and kept, or, where they would take more than 2 GiB, read whenever they are wanted.

    Args:
        root: holds one folder a class, or "train" and "test" (or "val") with one a class in each.
        train: whether the pictures to train on are wanted: those of "train", or else all.
        size: height and width to resize to; by default the pictures must have one size already.

    Returns:
        The data; the classes are the folders to train on, in alphabetical order.

    Raises:
        InterpretError: no such folders, no pictures in them, or pictures of several sizes.
        PictureError: a picture that cannot be read.
    """
    fitting = _part(root, TRAIN) or root
    names = [folder.name for folder in _folders(fitting)]
    if len(names) < 2:
        raise InterpretError(f"{root} has {len(names)} classes of pictures; {REMEDY}")
    folder = fitting if train else test_folder(root)
    if folder is None:
        raise InterpretError(f"{root} has no pictures to test on: no train with test or val beside it")
    strange = [found.name for found in _folders(folder) if found.name not in names]
    if strange:
        raise InterpretError(f"{folder} has pictures of {strange[0]!r}, a class that {fitting} has not")
    files = [sorted(_pictures(folder / name)) for name in names]
    labels = [index for index, same in enumerate(files) for _ in same]
    return _data([file for same in files for file in same], torch.tensor(labels), names, size)


def test_folder(root: Path) -> Path | None:
    """The pictures to test on, where a folder has them beside those to train on."""
    return _part(root, TEST) if _part(root, TRAIN) else None


def _part(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if _folders(root / name)), None)


def _folders(root: Path) -> list[Path]:
    """The folders with pictures in them."""
    if not root.is_dir():
        return []
    return sorted(folder for folder in root.iterdir() if folder.name[0] != "." and any(_pictures(folder)))


def _pictures(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.name[0] != ".")


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
