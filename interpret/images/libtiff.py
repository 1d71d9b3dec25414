"""libtiff, which decodes TIFF files, prints what is wrong on standard error; here it is made to hold its tongue."""

import ctypes
import ctypes.util
from contextlib import suppress
from functools import cache
from pathlib import Path

import PIL


@cache
def silence_libtiff() -> None:
    """Let errors of libtiff be told by the exceptions of Pillow alone; where it is not found, it goes on printing."""
    packages = Path(PIL.__file__).parent.parent  # wheels bring it along
    bundled = [*packages.glob("pillow.libs/libtiff*"), *packages.glob("PIL/.dylibs/libtiff*")]
    places = list(map(str, bundled)) or list(filter(None, [ctypes.util.find_library("tiff")]))
    for place in places:
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(place)
            for kind in ("Error", "Warning"):
                setter = getattr(library, f"TIFFSet{kind}Handler")
                setter.restype, setter.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
                setter(None)
