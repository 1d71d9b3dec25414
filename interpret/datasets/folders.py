"""Folders of pictures and the class of each picture, in the forms that all commands understand."""

import csv
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InterpretError, UnknownNameError, printable

if TYPE_CHECKING:
    from ..classifier import Classifier

_log = logging.getLogger(__name__)

# What Pillow reads, and HEIC, for which there is a plug-in; without what it only recognises (such as .h5 and .mpg) or
# hands to another program (.eps).
SUFFIXES = frozenset(
    ".apng .avif .avifs .blp .bmp .bw .cur .dcx .dds .dib .fit .fits .flc .fli .ftc .ftu .gbr .gif .heic .heif .hif "
    ".icb .icns .ico .iim .im .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .msp .pbm .pcd .pcx .pfm .pgm .png "
    ".pnm .ppm .psd .pxr .qoi .ras .rgb .rgba .sgi .tga .tif .tiff .vda .vst .webp .xbm .xpm".split()
)
RESULTS = "interp-out"  # the folder for the results of several pictures, which the next run must not read
TABLE = "labels.csv"
TRAIN = ("train", "training")
TEST = ("test", "testing", "val", "valid", "validation")
NUMBERED = re.compile(r"(\d+)_")
FORMS = (
    f"a {TABLE} in the folder with the columns file,label; one folder for each class, named after it; "
    "or files whose names begin with the class's number and an underscore (0470_candle.jpg)"
)


@dataclass(frozen=True)
class LabelledFile:
    """A picture file whose class is known."""

    path: Path
    inside: Path  # the path below the folder of the data set
    label: str  # the class, as the folder, the table or the file name has it

    @property
    def shown(self) -> str:
        """The path as messages and tables name it."""
        return printable(str(self.path))


def picture_files(folder: Path, *, recursive: bool) -> list[Path]:
    """The picture files in a folder, sorted; hidden ones and the results of earlier runs are left out."""
    entries = sorted(folder.rglob("*") if recursive else folder.iterdir())
    return [entry for entry in entries if _is_picture(entry.relative_to(folder)) and entry.is_file()]


def other_files(folder: Path, *, recursive: bool) -> list[Path]:
    """The files in a folder that `picture_files` leaves out for their suffix, sorted."""
    entries = sorted(folder.rglob("*") if recursive else folder.iterdir())
    return [
        entry
        for entry in entries
        if entry.suffix.lower() not in SUFFIXES and not _is_hidden(entry.relative_to(folder)) and entry.is_file()
    ]


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not _is_hidden(path)


def _is_hidden(path: Path) -> bool:
    return any(part == RESULTS or part.startswith(".") for part in path.parts)


def class_folders(folder: Path) -> list[Path]:
    """The pictures in a folder that holds one folder for each class, or "train" and "test" with such folders in them.

    They are sorted by folder and name; there are none if the folder is no such data set.
    """
    parts = [folder / name for name in (*TRAIN, *TEST) if (folder / name).is_dir()] or [folder]
    inner = [entry for part in parts for entry in sorted(part.iterdir()) if entry.is_dir()]
    found = [picture_files(entry, recursive=False) for entry in inner if entry.name != RESULTS]
    return [file for files in found for file in files if not file.parent.name.startswith(".")]


def labelled_files(folder: Path, *, train: bool | None = None) -> list[LabelledFile]:
    """The pictures of a data set with their classes.

    The classes are in a ``labels.csv`` with the columns file and label, or they are the names of the
    folders in which the pictures lie, or the numbers with which the files' names begin. A folder may
    hold two such data sets, "train" and "test" (or "val").

    Args:
        folder: the data set.
        train: True for the pictures to train on: those of "train", or else all. False for those to test
            on. None for those to evaluate a network with: those of "test", or else of "train", or else all.

    Returns:
        The files, sorted by name; their labels are not looked up in any network.

    Raises:
        InterpretError: no folder, no pictures in it, or a picture of unknown class.
    """
    if not folder.is_dir():
        raise InterpretError(f"{folder} is no folder of labelled pictures")
    root = _part_of(folder, train)
    if root is None:
        raise InterpretError(f"{folder} has no pictures to test on: it needs the folders train, and test or val")
    files = picture_files(root, recursive=True)
    if not files:
        raise InterpretError(f"no pictures in the folder {root}")
    table = _table(root / TABLE) if (root / TABLE).is_file() else None
    if table is None:
        files = _without_strays(files, root)
    return [LabelledFile(file, file.relative_to(folder), _label_of(file.relative_to(root), table)) for file in files]


def _without_strays(files: list[Path], root: Path) -> list[Path]:
    """The files in class folders if there are any, since a picture beside these folders belongs to no class."""
    inner = [file for file in files if _in_class_folder(file.relative_to(root))]
    strays = len(files) - len(inner)
    if not inner or not strays:
        return files
    _log.warning("%d pictures of %s lie in no class folder and are left out", strays, root)
    return inner


def has_test_part(folder: Path) -> bool:
    """Whether a data set has pictures to test on beside those to train on."""
    return _part_of(folder, False) is not None


def _part_of(folder: Path, train: bool | None) -> Path | None:
    """The folder with the pictures that ``train`` means, as in ``labelled_files``."""
    fitting, testing = _first_data_set(folder, TRAIN), _first_data_set(folder, TEST)
    if train is False:
        return testing if fitting else None
    held_out = testing if train is None and fitting else None
    return held_out or fitting or folder


def _first_data_set(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if _is_data_set(folder / name)), None)


def _is_data_set(folder: Path) -> bool:
    """Whether the class of every picture in a folder is known."""
    files = picture_files(folder, recursive=True) if folder.is_dir() else []
    if (folder / TABLE).is_file() and files:
        return True
    inside = [file.relative_to(folder) for file in files]
    return bool(inside) and all(_in_class_folder(path) or NUMBERED.match(path.name) for path in inside)


def _in_class_folder(inside: Path) -> bool:
    return len(inside.parts) > 1


def _table(path: Path) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InterpretError(f"{path} is no table: {error}") from error
    if not rows or not {"file", "label"} <= set(rows[0]):
        raise InterpretError(f"{path} needs the columns file and label")
    return {row["file"]: row["label"] for row in rows}


def _label_of(inside: Path, table: dict[str, str] | None) -> str:
    if table is not None:
        if inside.as_posix() not in table:
            raise InterpretError(f"{TABLE} says nothing about {inside}")
        return table[inside.as_posix()]
    if _in_class_folder(inside):
        return inside.parts[0]
    number = NUMBERED.match(inside.name)
    if number is None:
        raise InterpretError(f"nothing tells the class of {inside}; there are three ways: {FORMS}")
    return str(int(number.group(1)))


def class_names(files: Sequence[LabelledFile]) -> list[str]:
    """The classes of labelled files in alphabetical order, or by number where all come from the names of files."""
    labels = {file.label for file in files}
    numbered = all(NUMBERED.match(file.path.name) and file.label.isdecimal() for file in files)
    return sorted(labels, key=int) if numbered else sorted(labels)


def class_index(classifier: "Classifier", label: str) -> int:
    """The class of a network that a label of a data set means.

    Args:
        classifier: it knows the names of its classes.
        label: the name of a class as the data set has it, or anything else that `Labels.find` understands.

    Returns:
        The index of the class.

    Raises:
        UnknownNameError: the network has no such class.
        InterpretError: the label is a group of classes, or the network's classes have no names.
    """
    labels = classifier.labels
    if not labels:
        if not label.isdigit():
            raise InterpretError(f"the network's classes have no names, so {label!r} means nothing; give --labels")
        return int(label)
    if list(labels).count(label) == 1:  # first, since a name such as "7" would also be an index
        return list(labels).index(label)
    indices = labels.find(label).indices
    if len(indices) > 1:
        raise InterpretError(f"{label!r} is {len(indices)} classes, not one")
    return indices[0]


def labelled_pictures(classifier: "Classifier", folder: Path) -> list[tuple[LabelledFile, int]]:
    """The pictures of a data set to evaluate a classifier with, and the classes they show.

    Args:
        classifier: it knows the names of its classes.
        folder: the data set, as in ``labelled_files``.

    Returns:
        Files and class indices, sorted by file name.

    Raises:
        InterpretError: no folder, no pictures in it, or a picture of unknown class.
        UnknownNameError: a label that is no class of the network.
    """
    if classifier.task != "classification":
        raise InterpretError(f"a labelled picture has one class, which this network ({classifier.task}) does not tell")
    known: dict[str, int] = {}
    found = []
    for file in labelled_files(folder):
        try:
            if file.label not in known:
                known[file.label] = class_index(classifier, file.label)
        except InterpretError as error:
            kind = UnknownNameError if isinstance(error, UnknownNameError) else InterpretError
            raise kind(f"{file.inside}: {error}") from error
        found.append((file, known[file.label]))
    return found
