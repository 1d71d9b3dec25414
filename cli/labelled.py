"""Pictures whose classes are known: from folders' names, a table beside them, or the files' names."""

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

from interpret.errors import InterpretError, UnknownNameError

from .inputs import Source, find_pictures

if TYPE_CHECKING:
    from interpret.classifier import Classifier

TABLE = "labels.csv"
WAYS = (
    f"a {TABLE} in the folder with the columns file,label; one folder for each class, named after it; "
    "or files whose names begin with the class's number and an underscore (0470_candle.jpg)"
)


def labelled(folder: str, classifier: "Classifier") -> list[tuple[Source, int]]:
    """The pictures in a folder, with their class indices.

    Args:
        folder: where a labels.csv says the classes, or the folders inside are named after them, or
            the files' names begin with their numbers.
        classifier: whose classes they are.

    Returns:
        Pictures and class indices, in the order of the files' names.

    Raises:
        InterpretError: no folder, no pictures, or no way to know a picture's class.
        UnknownNameError: a name that is no class of the network.
    """
    path = Path(folder)
    if not path.is_dir():
        raise InterpretError(f"{folder} is no folder of labelled pictures")
    sources = find_pictures([folder], recursive=True)
    table = _table(path / TABLE) if (path / TABLE).is_file() else {}
    return [(source, _class_of(source, table, classifier)) for source in sources]


def _table(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "label"} <= set(rows[0]):
        raise InterpretError(f"{path} needs the columns file and label")
    return {row["file"]: row["label"] for row in rows}


def _class_of(source: Source, table: dict[str, str], classifier: "Classifier") -> int:
    if table:
        name = table.get(source.inside.as_posix())
        if name is None:
            raise InterpretError(f"{TABLE} says nothing about {source.inside}")
        return _index(name, source, classifier)
    if len(source.inside.parts) > 1:
        return _index(source.inside.parts[0], source, classifier)
    number = re.match(r"(\d+)_", source.inside.name)
    if number is None:
        raise InterpretError(f"nothing says what is in {source.inside}; there are three ways: {WAYS}")
    return _index(str(int(number.group(1))), source, classifier)


def _index(name: str, source: Source, classifier: "Classifier") -> int:
    if classifier.labels is None:
        if not name.isdigit():
            raise InterpretError(f"the network's classes have no names, so {name!r} means nothing; give --labels")
        return int(name)
    try:
        indices = classifier.labels.find(name).indices
    except UnknownNameError as error:
        raise UnknownNameError(f"{source.inside}: {error}") from error
    if len(indices) > 1:
        raise InterpretError(f"{source.inside}: {name!r} is {len(indices)} classes, not one")
    return indices[0]
