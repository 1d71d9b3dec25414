"""The files that come with the package: data that it needs, and sample photos. It imports no torch."""

from pathlib import Path

from .errors import UnknownNameError, did_you_mean

_PACKAGE = Path(__file__).parent
# Files of `interp train` that come along: the network `cnn` at 32 x 32 pixels, hardened and as its plain twin.
TRAINED = ("robust_cifar10", "plain_cifar10")


def data(name: str) -> Path:
    """The path of a file in ``interpret/data``, which exists; UnknownNameError if it does not."""
    return _named(name, {file.name: file for file in _files(_PACKAGE / "data", "*")}, "data file")


def sample(name: str) -> Path:
    """The path of a sample photo, by its name without the suffix, such as ``"cat"``; UnknownNameError if it is none."""
    return _named(name, samples(), "sample")


def samples() -> dict[str, Path]:
    """Name to file of the sample photos, in alphabetical order."""
    return {file.stem: file for file in _files(_samples_folder(), "*.jpg")}


def _samples_folder() -> Path:
    """Inside an installed package, beside it in a checkout."""
    inside = _PACKAGE / "samples"
    return inside if inside.is_dir() else _PACKAGE.parent / "samples"


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(file for file in folder.glob(pattern) if file.is_file())


def _named(name: str, known: dict[str, Path], kind: str) -> Path:
    if name not in known:
        remedy = did_you_mean(name, known) or f"; there are {', '.join(known) or 'none'}"
        raise UnknownNameError(f"there is no {kind} {name!r}{remedy}")
    return known[name]
