"""The pictures of the page: those named on the command line, and those dropped on it."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from interpret.errors import PictureError, UnknownNameError, printable

from ...job.sources import Source
from .lru import Lru

if TYPE_CHECKING:
    from torch import Tensor

MOST_BYTES = 32 * 2**20  # of a dropped file
MOST_PIXELS = 50_000_000  # of it
DROPPED = 256 * 2**20  # bytes of dropped files that are kept
DECODED = 512 * 2**20  # bytes of decoded pictures that are kept
SIDES = (160, 1600)  # pixels of the longer side of what the page shows


@dataclass(frozen=True)
class Picture(Source):
    """A picture that the page knows by its ``id``; what was dropped is in memory, and has no path."""

    id: str = ""
    content: bytes | None = field(default=None, repr=False)  # of what was dropped
    decoded: Lru = field(default=None, repr=False, compare=False)
    exact: "Tensor | None" = field(default=None, repr=False, compare=False)  # of a picture that no file holds

    def read_stored(self) -> "Tensor":
        """The picture as its file holds it; a copy is kept for the next time."""
        if self.exact is not None:
            return self.exact
        from interpret.images.files import read_stored

        def make() -> "Tensor":
            return read_stored(io.BytesIO(self.content)) if self.content is not None else Source.read_stored(self)

        return self.decoded.get((self.id, self.version), make, lambda image: image.nbytes)

    @property
    def version(self) -> tuple[int, ...]:
        """What changes when the file does."""
        if self.path is None:
            return ()
        try:
            status = self.path.stat()
        except OSError:  # reading it will say what is wrong
            return (-1,)
        return status.st_size, status.st_mtime_ns

    def waits(self) -> bool:
        """No picture of the page is standard input."""
        return False


class Gallery:
    """Pictures by their ids; nothing else can be read through the page."""

    def __init__(self, sources: Sequence[Source], styles: Sequence[Source] = ()) -> None:
        self.decoded, self._dropped = Lru(DECODED), Lru(DROPPED)
        self._named, self._styles = ({one.id: one for one in map(self._of, many)} for many in (sources, styles))

    def _of(self, source: Source) -> Picture:
        known = f"{source.shown}\n{source.path}"
        return Picture(source.shown, source.path, source.inside, _digits(known.encode()), decoded=self.decoded)

    def named(self) -> list[Picture]:
        """Those of the command line, in their order."""
        return list(self._named.values())

    def styles(self) -> list[Picture]:
        """The bundled paintings, in whose manner a picture may be painted, and those of the command line."""
        return list({**self._styles, **self._named}.values())

    def find(self, id: str) -> Picture:
        """The picture of an id; an UnknownNameError where there is none, or no more."""
        found = self._named.get(id) or self._styles.get(id) or self._dropped.find(id)
        if found is None:
            raise UnknownNameError("this picture is not here any more; drop it on the page again")
        return found

    def drop(self, content: bytes, name: str) -> Picture:
        """Take a dropped file, which is decoded at once; a PictureError where it is no picture, or too large."""
        name = printable(PurePosixPath(name.replace("\\", "/")).name)[:120] or "picture"
        _check_size(content, name)
        picture = Picture(name, None, Path(name), f"d{_digits(content + name.encode())}", content, self.decoded)
        try:
            picture.read_stored()
        except PictureError as error:
            raise PictureError(str(error).replace("the open file", name)) from error
        self._dropped.keep(picture.id, picture, len(content))
        return picture

    def about(self, picture: Picture) -> dict[str, Any]:
        """What the page is told of a picture."""
        height, width = picture.read_stored().shape[-2:]
        return {"id": picture.id, "name": picture.shown, "width": width, "height": height}


def _check_size(content: bytes, name: str) -> None:
    from PIL import Image

    if len(content) > MOST_BYTES:
        raise PictureError(f"{name} has more than {MOST_BYTES // 2**20} MB; scale it down first")
    try:
        with Image.open(io.BytesIO(content)) as picture:
            pixels = picture.width * picture.height
    except Exception:  # which is told, with a remedy, by whoever decodes it
        return
    if pixels > MOST_PIXELS:
        raise PictureError(f"{name} has {pixels / 1e6:.0f} million pixels, of {MOST_PIXELS / 1e6:.0f}; scale it down")


def shown_as(picture: Picture, side: int) -> bytes:
    """The picture as WebP, at most as large as the page shows it."""
    from interpret.images.files import encode, to_pil

    found = to_pil(picture.read())
    found.thumbnail((side, side))
    return encode(found, ".webp", quality=85)


def _digits(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
