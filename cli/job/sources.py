"""What the pictures on a command line stand for: files, folders, globs, samples, standard input."""

import glob
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interpret.bundled import sample
from interpret.datasets.folders import class_folders, other_files, picture_files
from interpret.errors import InterpretError, address_hint, did_you_mean, printable
from interpret.explainers import EXPLAINERS
from interpret.faithfulness import METRICS

from ..options.messages import QUIET, note
from ..options.pictures import PictureOptions
from ..plug_ins import ATTACKS
from .processes import is_first
from .resume import is_result

if TYPE_CHECKING:
    from torch import Tensor


LISTED = {*EXPLAINERS, *ATTACKS, *METRICS}  # what some options take several of


@dataclass(frozen=True)
class Source:
    """One picture to work on."""

    shown: str  # as messages and tables name it
    path: Path | None  # None for standard input
    inside: Path  # below the folder it was found in; the file's own name otherwise

    def __post_init__(self) -> None:
        """A file's name may be no text, or more than that."""
        object.__setattr__(self, "shown", printable(self.shown))

    def read(self) -> "Tensor":
        """The picture, (1, 3, H, W) in [0, 1]; a PictureError where it cannot be read."""
        from interpret.images.levels import in_unit_range

        return in_unit_range(self.read_stored())

    def read_stored(self) -> "Tensor":
        """The same as its file holds it: 8-bit levels (uint8), or float32 in [0, 1]."""
        from interpret.images.files import read_stored

        return read_stored(sys.stdin.buffer if self.path is None else self.path)

    def waits(self) -> bool:
        """Whether reading it may never end, as that of standard input."""
        return self.path is None


def find_pictures(given: Sequence[str], recursive: bool) -> list[Source]:
    """The pictures that words name, in order, each once: files, folders, globs, "sample:NAME", or "-".

    A word that names no picture is an InterpretError.
    """
    sources: dict[object, Source] = {}
    for word in given:
        for source in _expand(word, recursive):
            sources.setdefault(source.path or source.shown, source)
    return list(sources.values())


def sources_of(pictures: PictureOptions) -> list[Source]:
    """The pictures that a command's options name."""
    return find_pictures(pictures.pictures, pictures.recursive)


def one_picture(given: str) -> Source:
    """The one picture that a word on the command line stands for."""
    source, *others = find_pictures([given], recursive=False)
    if others:
        raise click.UsageError(f"one picture at a time, not {len(others) + 1}")
    return source


def _expand(word: str, recursive: bool) -> Iterator[Source]:
    path = Path(word)
    if not word.strip():
        raise InterpretError("an empty name is no picture; . is the current folder")
    if word == "-":
        yield Source("standard input", None, Path("stdin"))
    elif word.startswith("sample:"):
        found = sample(word.removeprefix("sample:"))
        yield Source(word, found, Path(found.name))
    elif path.is_dir():
        yield from _in_folder(path, recursive)
    elif path.exists():
        yield Source(word, path, Path(path.name))
    else:
        matches = [match for match in sorted(glob.glob(word, recursive=True)) if os.path.isfile(match)]
        if not matches:
            raise InterpretError(f"no picture {word!r}{address_hint(word) or _near(path)}")
        for match in matches:
            yield Source(match, Path(match), Path(Path(match).name))


def _near(path: Path) -> str:
    if path.is_symlink():
        return f": it is a link to {os.readlink(path)}, which is not there"
    if str(path).replace("-", "_") in LISTED:
        return "; names of one option take commas between them and no blanks: --methods saliency,gradcam"
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    return did_you_mean(path.name, names) or "; `interp samples` lists the bundled ones (sample:cat)"


def _in_folder(folder: Path, recursive: bool) -> Iterator[Source]:
    pictures = picture_files(folder, recursive=recursive) or class_folders(folder)
    if not pictures:
        inner = "" if recursive else "; -r goes into the folders inside it"
        raise InterpretError(f"no pictures in the folder {folder}{inner}")
    own = {entry for entry in pictures if is_result(entry)}
    if len(own) == len(pictures):
        own = set()  # who names a folder of results alone means them
    if own:
        _say(f"{folder}: {len(own)} results of earlier runs are left out; name them, or a folder of their own")
    if others := other_files(folder, recursive=recursive):
        kinds = ", ".join(sorted({entry.suffix.lower() or "without suffix" for entry in others})[:5])
        _say(f"{folder}: {len(others)} files that are no pictures are left out ({kinds})")
    for entry in pictures:
        if entry not in own:
            yield Source(str(entry), entry, entry.relative_to(folder))


def _say(message: str) -> None:
    context = click.get_current_context(silent=True)
    if is_first() and not (context and context.meta.get(QUIET)):
        note(message)


def output_stems(sources: Sequence[Source]) -> list[Path]:
    """A different name for the results of each picture, without suffix: its own, as far as it can be.

    Pictures that share a name get their suffix ("cat-png") or a number behind it, and those found
    inside folders keep their place below.
    """
    plain = [source.inside.with_suffix("") for source in sources]
    shared = Counter(str(stem).casefold() for stem in plain)
    stems: list[Path] = []
    taken: Counter[str] = Counter()
    for source, stem in zip(sources, plain, strict=True):
        if shared[str(stem).casefold()] > 1:
            stem = stem.with_name(f"{stem.name}-{source.inside.suffix.lstrip('.').lower()}")
        taken[str(stem).casefold()] += 1
        count = taken[str(stem).casefold()]
        stems.append(stem if count == 1 else stem.with_name(f"{stem.name}-{count}"))
    return stems
