"""Class names from the files that people keep them in."""

import json
import re
from collections import Counter
from pathlib import Path

from ..errors import InterpretError, address_hint
from .names import Labels


def read_labels(path: str | Path) -> Labels:
    """Read the class names of a network from a file.

    Args:
        path: a text file with one name on each line, or with "0 name", "0: name" or "n01440764 name";
            or a `.json` file with a list of names, {"0": "name"}, {"0": ["n01440764", "name"]} or {"name": 0}.

    Returns:
        The names, in the order of their indices.

    Raises:
        InterpretError: the file is missing, not in UTF-8, empty, or an index is missing or there twice.
    """
    given, path = str(path), Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        names = _names_in_json(text) if path.suffix.lower() == ".json" else _names_in_lines(text)
    except FileNotFoundError:
        raise InterpretError(f"there is no file {given}{address_hint(given)}") from None
    except OSError as error:
        raise InterpretError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InterpretError(f"{path} is not text in UTF-8; save it in that encoding") from None
    except json.JSONDecodeError as error:
        raise InterpretError(f"{path} is not valid JSON: {error}") from None
    except ValueError as error:
        raise InterpretError(f"{path} {error}") from None
    if not names:
        raise InterpretError(f"{path} is empty: it holds no class names")
    return Labels(names)


def _names_in_lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.rstrip().split("\n")] if text.strip() else []
    if "" in lines:
        raise ValueError(f"has no name on line {lines.index('') + 1}")
    numbered = [re.fullmatch(r"(\d+)(?:\s*[:,]\s*|\s+)(\S.*)", line) for line in lines]
    if all(numbered):
        return _in_order([(int(match[1]), match[2]) for match in numbered])
    with_wnids = [re.fullmatch(r"n\d{8}\s+(\S.*)", line) for line in lines]
    return [match[1] for match in with_wnids] if all(with_wnids) else lines


def _names_in_json(text: str) -> list[str]:
    # In pairs, an index that occurs twice is not lost.
    data = json.loads(text, object_pairs_hook=tuple) if text.strip() else []
    match data:
        case list():
            return [_name(entry) for entry in data]
        case tuple() if all(isinstance(value, int) for _, value in data):
            return _in_order([(index, _name(name)) for name, index in data])
        case tuple():
            return _in_order([(int(key) if key.isdecimal() else key, _name(value)) for key, value in data])
    raise ValueError("must hold a list of names or an object")


def _name(entry: object) -> str:
    name = entry[-1] if isinstance(entry, list) and entry else entry
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"holds {name!r} where a class name is expected")
    return name.strip()


def _in_order(pairs: list[tuple[int, str]]) -> list[str]:
    """The names in (index, name) pairs, after a check that the indices are 0, 1, 2 and so on."""
    count = Counter(index for index, _ in pairs)
    wrong = [f"{index} is there {times} times" for index, times in count.items() if times > 1]
    wrong += [f"{index} is missing" for index in range(len(pairs)) if index not in count]
    if wrong:
        raise ValueError(f"must number its classes 0 to {len(pairs) - 1}, each once: {wrong[0]}")
    return [name for _, name in sorted(pairs)]
