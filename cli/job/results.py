"""Where results go, and writing them whole or not at all."""

import hashlib
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret import __version__
from interpret.datasets.folders import RESULTS
from interpret.errors import InterpretError, PictureError, printable

from ..options.messages import tell
from .sources import Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

RASTER = (".png", ".jpg", ".jpeg", ".webp")
VECTOR = (".pdf", ".svg")
RAW = (".npy", ".npz")
FORMATS = (*RASTER, *VECTOR, *RAW)
LONGEST = 220  # bytes of a name, before what a command may put behind it


def slug(text: str) -> str:
    """A name as it stands in a file name: letters, digits, dots and single dashes."""
    return _fitting(re.sub(r"[^\w.]+", "-", text).strip("-").lower() or "class", 80)


def _fitting(name: str, most: int) -> str:
    """A name of at most so many bytes, since file systems take no more than 255; a long one ends in its own digits."""
    content = os.fsencode(name)
    if len(content) <= most:
        return name
    kept = content[: most - 9].decode(sys.getfilesystemencoding(), "ignore")
    return f"{kept}-{hashlib.sha256(content).hexdigest()[:8]}"


class Outputs:
    """Names the results of one run, and checks at its start that they can be written."""

    def __init__(self, output: str | None, sources: Sequence[Source]) -> None:
        self.inputs = {source.path.resolve() for source in sources if source.path is not None}
        self.to_stdout = output == "-"
        self.file: Path | None = None
        self.folder = Path("." if len(sources) == 1 else RESULTS)
        self.suffix = ".png"
        if output is None or self.to_stdout:
            pass
        elif Path(output).suffix and not Path(output).is_dir() and not output.endswith(("/", os.sep)):
            self.file = Path(output)
            self.suffix = self.file.suffix.lower()
            if self.suffix not in FORMATS:
                raise InterpretError(f"cannot write {self.suffix!r} files; the suffix is one of {', '.join(FORMATS)}")
        else:
            self.folder = Path(output)
        self.expect(len(sources))

    def expect(self, results: int) -> None:
        """Refuse to put several results into one file."""
        if results > 1 and (self.file or self.to_stdout):
            raise InterpretError(f"{results} results do not fit one file; give -o a folder")

    def no_raw_format(self) -> None:
        """Refuse the formats for raw numbers, for a command that draws."""
        if self.suffix in RAW:
            raise InterpretError(f"what is drawn is a picture; {self.suffix} files hold attributions")

    def place(self, stem: Path, *words: str) -> Path | None:
        """The file for one result, or None for standard output; its folder exists afterwards."""
        if self.to_stdout:
            return None
        kinds = list(map(slug, words))
        room = LONGEST - sum(len(os.fsencode(kind)) + 1 for kind in kinds)
        name = "_".join([_fitting(stem.name, max(room, 40)), *kinds])
        path = self.file or self.folder / stem.parent / f"{name}{self.suffix}"
        if path.resolve() in self.inputs:
            raise PictureError(f"{path} is one of the pictures read; it is not overwritten")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = "a file is in the way" if isinstance(error, FileExistsError) else error.strerror
            raise InterpretError(f"cannot make the folder {path.parent}: {reason}; choose another with -o") from error
        return path


def write_result(path: Path | None, result: "Image | Figure | dict[str, Any]", about: dict[str, Any]) -> None:
    """Write a picture, a figure or arrays by name, of which the first is the map; a killed run leaves no half file.

    Without a path a PNG goes to standard output. What is needed to make the result again, ``about``, is stored in PNG,
    PDF, SVG and npz files.
    """
    write_content(path, encoded(path.suffix if path else ".png", result, about))


def write_content(path: Path | None, content: bytes) -> None:
    """Write the content of a file whole or not at all; without a path it goes to standard output."""
    if path is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        from interpret.images.files import write_bytes

        write_bytes(path, content)


def encoded(suffix: str, result: "Image | Figure | dict[str, Any]", about: dict[str, Any]) -> bytes:
    """The content of a result's file, with what made it inside."""
    buffer = io.BytesIO()
    _encode(buffer, suffix.lower(), result, about)
    return buffer.getvalue()


def _encode(buffer: io.BytesIO, suffix: str, result: Any, about: dict[str, Any]) -> None:
    import numpy as np

    text = printable(json.dumps(about, ensure_ascii=False))
    if suffix == ".npy":
        np.save(buffer, next(iter(result.values())))
    elif suffix == ".npz":
        np.savez_compressed(buffer, **result, about=np.array(text))
    elif hasattr(result, "savefig"):
        _encode_figure(buffer, suffix, result, text)
    elif suffix in VECTOR:
        _encode_figure(buffer, suffix, _as_figure(result), text)
    else:
        _encode_picture(buffer, suffix, result, text)


def _encode_picture(buffer: io.BytesIO, suffix: str, picture: "Image", text: str) -> None:
    from interpret.images.files import encode

    about = {"Software": f"interp {__version__}", "interp": text}
    buffer.write(encode(picture, suffix, metadata=about))


def _encode_figure(buffer: io.BytesIO, suffix: str, figure: "Figure", text: str) -> None:
    from matplotlib import rc_context, rcParams
    from PIL import Image

    kind, asked = suffix[1:], rcParams["savefig.dpi"]  # "figure" unless somebody has asked for another
    if suffix in RASTER:
        drawn = io.BytesIO()
        figure.savefig(
            drawn, format="png", dpi=150 if asked == "figure" else asked, pil_kwargs={"compress_level": 0}
        )  # it is encoded below
        _encode_picture(buffer, suffix, Image.open(drawn).convert("RGB"), text)
    else:
        key = "Keywords" if kind == "pdf" else "Description"
        # TrueType, which publishers ask for, letters that can be edited instead of outlines, and no TeX.
        with rc_context({"pdf.fonttype": 42, "svg.fonttype": "none", "text.usetex": False}):
            figure.savefig(buffer, format=kind, metadata={key: text}, dpi=200 if asked == "figure" else asked)


def _as_figure(picture: "Image") -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(picture.width / 100, picture.height / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(picture)
    axes.set_axis_off()
    return figure


def tell_result(path: Path | None, about: dict[str, Any], as_json: bool) -> None:
    """Say on standard output where a result is, and with --json what made it; nothing where it went there itself."""
    if path is not None:
        tell(json.dumps({"path": str(path), **about}) if as_json else str(path))
