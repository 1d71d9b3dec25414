"""A data set looked through for the strongest places of units, and the index file that remembers them."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.bundled import samples
from interpret.errors import InterpretError

from . import options
from .inputs import RESULTS, Source, find_pictures
from .outputs import slug

if TYPE_CHECKING:
    from interpret.classifier import Classifier
    from interpret.units.index import Index


def pictures_of(data: tuple[str, ...], recursive: bool) -> tuple[tuple[str, ...], list[Source]]:
    """The words of a data set, by default those of the bundled photos, and its pictures, all of them files."""
    words = data or tuple(f"sample:{name}" for name in samples())
    sources = find_pictures(words, recursive)
    if any(source.path is None for source in sources):
        raise InterpretError("an index is of files; standard input cannot be looked at again")
    return words, sources


def index_file(about: dict[str, Any], words: tuple[str, ...]) -> Path:
    """A name for the index of these words of data, network and layer: another data set gets another file."""
    data = [word if word.startswith("sample:") else str(Path(word).resolve()) for word in words]
    key = json.dumps([about["weights"], about["layer"], about["preprocessing"], data])
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    return Path(RESULTS) / f"top-activations_{slug(about['layer'])}_{digest}.index.npz"


def scanned(
    classifier: "Classifier",
    sources: list[Source],
    about: dict[str, Any],
    file: Path,
    top: int,
    batch: int,
    quiet: bool,
    verbose: int,
) -> tuple[int, "Index"]:
    """How many pictures failed, and the index of the others, as a file as well."""
    from tqdm import tqdm

    from interpret.units.top_activations import scan

    file.parent.mkdir(parents=True, exist_ok=True)
    shown = {source.path.resolve(): source.shown for source in sources}
    failures, scanned = [], []

    def failed(path: Path, error: Exception) -> None:
        failures.append(path)
        options.note_failure(shown[path], error, verbose)

    def watch(paths: list[Path]) -> tqdm:
        scanned.extend(paths)
        return tqdm(paths, disable=quiet or None, leave=False, unit="picture")

    known = scan(
        classifier,
        [source.path for source in sources],
        about["layer"],
        about["channels"],
        file=file,
        most=top,
        batch=batch,
        failed=failed,
        watch=watch,
    )
    if not known.files:
        raise InterpretError("none of the pictures could be used")
    options.note(f"scanned {len(scanned)} of {len(sources)} pictures; the index is {file}", quiet)
    return len(failures), known
