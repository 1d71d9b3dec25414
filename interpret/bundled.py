"""The files that come along: data that the package needs, and sample photos. Needs no torch."""

from pathlib import Path

from .errors import UnknownNameError, did_you_mean

_PACKAGE = Path(__file__).parent


def data(name: str) -> Path:
    """Where a file of ``interpret/data`` lies.

    Args:
        name: its file name.

    Returns:
        The path of a file that exists.

    Raises:
        UnknownNameError: there is no such file.
    """
    return _named(name, {file.name: file for file in _files(_PACKAGE / "data", "*")}, "data file")


def sample(name: str) -> Path:
    """Where a sample photo lies.

    Args:
        name: its name without the suffix, such as ``"cat"``.

    Returns:
        The path of a file that exists.

    Raises:
        UnknownNameError: there is no such sample; the text names those that are close, or all.
    """
    return _named(name, samples(), "sample")


def samples() -> dict[str, Path]:
    """The sample photos, by name.

    Returns:
        name -> file, in alphabetical order.
    """
    return {file.stem: file for file in _files(_samples_folder(), "*.jpg")}


def _samples_folder() -> Path:
    """An installed package holds the samples; in a checkout they lie beside it."""
    inside = _PACKAGE / "samples"
    return inside if inside.is_dir() else _PACKAGE.parent / "samples"


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(file for file in folder.glob(pattern) if file.is_file())


def _named(name: str, known: dict[str, Path], kind: str) -> Path:
    if name not in known:
        remedy = did_you_mean(name, known) or f"; there are {', '.join(known) or 'none'}"
        raise UnknownNameError(f"there is no {kind} {name!r}{remedy}")
    return known[name]
