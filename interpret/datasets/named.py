"""Data sets to train and to test on: by name, from a folder of class folders, or from an .npz file."""

import contextlib
import gzip
import io
import os
from pathlib import Path

import numpy as np
import torch

from ..bundled import data
from ..errors import InterpretError, UnknownNameError, did_you_mean
from . import DATASETS
from .dataset import Dataset, in_memory
from .folders import has_test_part
from .picture_folder import open_folder

DIGITS_TO_TEST = 360  # the last ones of the file
TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10", "cifar100": "CIFAR100"}
ARRAYS = "images (N, H, W) or (N, H, W, C), uint8 or in [0, 1], labels (N,), perhaps names, test_images, test_labels"


def open_dataset(
    name: str | os.PathLike,
    *,
    train: bool,
    size: tuple[int, int] | None = None,
    root: str | os.PathLike | None = None,
) -> Dataset:
    """Pictures with their classes, to train or to test on.

    Args:
        name: "digits", which comes with the package; "mnist", "fashion-mnist", "cifar10" or "cifar100";
            a folder of labelled pictures (see ``labelled_files``); or an ``.npz`` file with the arrays
            images (N, H, W) or (N, H, W, C), uint8 or floating point in [0, 1], and labels (N,), and
            optionally names (of the classes), test_images and test_labels.
        train: True for the pictures to train on, False for those to test on.
        size: height and width to which pictures are resized and cropped from the centre; by default
            they stay as they are.
        root: the folder of MNIST and CIFAR, into which they are downloaded; by default $INTERP_DATA, or
            else ~/.cache/interp.

    Returns:
        The data set.

    Raises:
        UnknownNameError: no such data set, folder or file.
        InterpretError: it is not available, or not of this form; the message says what to do.
    """
    path = Path(name)
    if str(name) in DATASETS:
        if str(name) == "digits":
            return _digits(train=train, size=size)
        root = Path(root or os.environ.get("INTERP_DATA") or "~/.cache/interp").expanduser()
        return _torchvision(str(name), root, train=train, size=size)
    if path.is_dir():
        return open_folder(path, train=train, size=size)
    if path.is_file() and path.suffix.lower() == ".npz":
        return _npz(path, train=train, size=size)
    if path.exists():
        raise InterpretError(f"{path} is no folder of labelled pictures and no .npz file of {ARRAYS}")
    hint = did_you_mean(str(name), DATASETS) or f"; there are {', '.join(DATASETS)}"
    raise UnknownNameError(f"no data set, folder or .npz file {str(name)!r}{hint}")


def has_test(name: str | os.PathLike) -> bool:
    """Whether a data set has pictures to test on.

    Args:
        name: as for `open_dataset`.

    Returns:
        False also where there is no such data set.
    """
    path = Path(name)
    if str(name) in DATASETS:
        return True
    if path.is_file() and path.suffix.lower() == ".npz":
        return "test_images" in _arrays(path)
    return path.is_dir() and has_test_part(path)


def _digits(*, train: bool, size: tuple[int, int] | None) -> Dataset:
    with gzip.open(data("digits.csv.gz"), "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    table = torch.from_numpy(table[:-DIGITS_TO_TEST] if train else table[-DIGITS_TO_TEST:])
    # Its levels, 0 to 16, become the nearest of the 256 levels of a picture file.
    pixels = (table[:, :-1] * 255 / 16).round().to(torch.uint8).view(-1, 1, 8, 8)
    return in_memory(pixels, table[:, -1], [str(digit) for digit in range(10)], size)


def _torchvision(name: str, root: Path, *, train: bool, size: tuple[int, int] | None) -> Dataset:
    from torchvision import datasets

    kind = getattr(datasets, TORCHVISION[name])
    try:
        found = kind(root, train=train, download=False)
    except (RuntimeError, OSError):
        try:
            # torchvision prints on standard output, which is for results.
            with contextlib.redirect_stdout(io.StringIO()):
                found = kind(root, train=train, download=True)
        except Exception as error:  # of the network, the disk, or a damaged archive
            raise InterpretError(
                f"{name} is not there and cannot be downloaded: {_instructions(kind, root)}"
            ) from error
    pixels = torch.as_tensor(found.data)
    pixels = pixels[:, None] if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2).contiguous()
    names = [str(digit) for digit in range(10)] if name == "mnist" else found.classes
    return in_memory(pixels, torch.as_tensor(found.targets), names, size)


def _instructions(kind: type, root: Path) -> str:
    if hasattr(kind, "resources"):
        files, source = ", ".join(file for file, _ in kind.resources), kind.mirrors[0]
        return f"put {files} (from {source}) into {root / kind.__name__ / 'raw'}"
    return f"put {kind.filename} (from {kind.url}) into {root}"


def _npz(path: Path, *, train: bool, size: tuple[int, int] | None) -> Dataset:
    arrays, prefix = _arrays(path), "" if train else "test_"
    if f"{prefix}images" not in arrays or f"{prefix}labels" not in arrays:
        missing = "no pictures" if train else "no pictures to test on"
        held = ", ".join(arrays) or "nothing"
        raise InterpretError(f"{path} has {missing}: it holds {held}, and should hold {ARRAYS}")
    images, labels = arrays[f"{prefix}images"], arrays[f"{prefix}labels"]
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
        raise InterpretError(f"{path}: labels are whole numbers of shape (N,), not {labels.dtype} of {labels.shape}")
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise InterpretError(f"{path}: images are uint8 or floating point in [0, 1], not {images.dtype}")
    if images.ndim not in (3, 4) or images.shape[3:] not in ((), (1,), (3,)):
        raise InterpretError(f"{path}: images have the shape (N, H, W) or (N, H, W, 1 or 3), not {images.shape}")
    # Counted over all labels, so that training and testing agree.
    count = 1 + max(int(arrays[key].max(initial=0)) for key in ("labels", "test_labels") if key in arrays)
    names = [str(value) for value in arrays["names"]] if "names" in arrays else [str(index) for index in range(count)]
    pixels = torch.from_numpy(images if images.dtype == np.uint8 else images.astype(np.float32))
    pixels = pixels[:, None] if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2).contiguous()
    try:
        return in_memory(pixels, torch.from_numpy(labels.astype(np.int64)), names, size)
    except InterpretError as error:
        raise InterpretError(f"{path}: {error}") from error


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Exception as error:  # what a damaged file raises depends on where the damage is
        reason = " ".join(str(error).split())
        raise InterpretError(f"{path} cannot be read: {reason}; save arrays with numpy.savez, no objects") from error
