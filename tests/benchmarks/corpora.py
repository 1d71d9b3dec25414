"""What `interp predict` makes of any folder of odd files, beside what Pillow itself shows.

    python -m tests.benchmarks.corpora FOLDER

A file is read (its pixels are those of Pillow's upright RGB, what is transparent on white), refused (one line says
why, and Pillow cannot show it either), or wrong: read with other pixels, refused though Pillow shows it, ended in an
error without words, or not spoken of.
"""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import interpret
from interpret.datasets.folders import picture_files
from interpret.errors import PictureError, printable
from tests.command import TINY, interp

DEEP = ("I", "F")  # grey of more than 8 bits, whose scale Pillow leaves to whoever reads it
LEVELS = 1.01  # how far values may be apart: a level, for LAB, which is converted through a profile


@dataclass(frozen=True)
class Verdict:
    """What became of one file."""

    path: Path
    kind: str  # read, refused or wrong
    reason: str = ""


def verdicts(folder: Path) -> Iterator[Verdict]:
    """A verdict for each file that a folder run takes."""
    files = picture_files(folder, recursive=True)
    run = interp("predict", *files, "--json", "--top-k", 1, *TINY)
    told = {json.loads(line)["picture"] for line in run.out.splitlines()}
    for path in files:
        shown = printable(str(path))
        failures = [line for line in run.err.splitlines() if line.startswith(f"Error: {shown} ")]
        yield _verdict(path, shown in told, failures)


def _verdict(path: Path, told: bool, failures: list[str]) -> Verdict:
    expected = upright(path)
    if told and not failures:
        found = interpret.read(path)[0].permute(1, 2, 0).numpy() * 255
        if expected is None:
            return Verdict(path, "read", "deeper than Pillow's RGB, or not shown by it")
        if found.shape != expected.shape or np.abs(found - expected).max() > LEVELS:
            return Verdict(path, "wrong", "it has other pixels")
        return Verdict(path, "read")
    if told or len(failures) != 1:
        return Verdict(path, "wrong", f"it is told of {told + len(failures)} times")
    try:
        interpret.read(path)
    except PictureError as error:
        reason = str(error)
        return Verdict(path, "refused" if expected is None else "wrong", reason)
    return Verdict(path, "wrong", "it is refused, and can be read")


def upright(path: Path) -> np.ndarray | None:
    """(H, W, 3) what Pillow shows, in levels; None where it shows nothing, or leaves the scale open."""
    try:
        # From memory: Pillow turns some TIFF files that it maps into memory wrongly.
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            picture.load()
            if picture.mode.startswith(DEEP) or picture.mode == "LAB":
                return None
            picture = ImageOps.exif_transpose(picture)
            if picture.has_transparency_data:
                layer = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
            return np.asarray(picture.convert("RGB"), dtype=np.float32)
    except Exception:  # as its decoders raise
        return None


def main() -> int:
    """Print how many files there are of each kind, and what is wrong; the exit status is 1 where something is."""
    found = list(verdicts(Path(sys.argv[1])))
    for kind in ("read", "refused", "wrong"):
        print(f"{kind:8} {sum(verdict.kind == kind for verdict in found)}")
    wrong = [verdict for verdict in found if verdict.kind == "wrong"]
    for verdict in wrong:
        print(f"wrong: {printable(str(verdict.path))}: {verdict.reason}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
