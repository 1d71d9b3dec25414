"""Films as MP4 files, by the package av, which the extra [video] brings."""

import io
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ..errors import InterpretError, PictureError, kind_and_text
from .files import read

SUFFIX = ".mp4"
QUALITY = {"crf": "18"}  # of x264, whose own 23 smears the grain of dreams


def is_video(path: str | os.PathLike) -> bool:
    """Whether a path's name is that of a film in this format."""
    return Path(path).suffix.lower() == SUFFIX


def check_video() -> None:
    """InterpretError where the package is missing."""
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise InterpretError(f"{SUFFIX} files need the package av: pip install 'interp[video]'") from error


def video(frames: Sequence[Image.Image], milliseconds: int) -> bytes:
    """The content of an MP4 file (H.264) of frames of one size, each shown for so long.

    Odd sides get one more row or column, a copy of the last, since players expect even ones.
    """
    check_video()
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(1000, milliseconds), options=QUALITY)
        stream.pix_fmt = "yuv420p"
        stream.width, stream.height = (side + side % 2 for side in frames[0].size)
        for frame in frames:
            more = [(0, frame.height % 2), (0, frame.width % 2), (0, 0)]
            pixels = np.pad(np.asarray(frame.convert("RGB")), more, mode="edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


def video_frames(path: str | os.PathLike) -> Iterator[Tensor]:
    """Each frame (1, 3, H, W) in [0, 1] of a film, one after another.

    Raises:
        InterpretError: the package is missing.
        PictureError: the film cannot be read.
    """
    check_video()
    import av

    try:
        with av.open(os.fspath(path)) as container:
            for frame in container.decode(video=0):
                yield read(frame.to_image())
    except (OSError, ValueError, IndexError) as error:  # av's own errors are of these kinds as well
        raise PictureError(f"{path} cannot be read as a film ({kind_and_text(error)})") from error
