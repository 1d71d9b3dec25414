"""The frames of an animated picture, or of a film."""

import os
from collections.abc import Iterator

from PIL import Image, ImageSequence
from torch import Tensor

from ..errors import PictureError, kind_and_text
from .files import read
from .video import is_video, video_frames


def frames_of(path: str | os.PathLike) -> Iterator[Tensor]:
    """Each frame (1, 3, H, W) in [0, 1] of a GIF, WebP, PNG or MP4, one after another; of other pictures the only one.

    Raises:
        PictureError: it cannot be read.
        InterpretError: it is an MP4 file, and the package av is missing.
    """
    if is_video(path):
        yield from video_frames(path)
        return
    first = read(path)  # which says what is wrong with a file that is no picture
    with Image.open(path) as opened:
        if getattr(opened, "n_frames", 1) == 1:
            yield first
            return
        frames = ImageSequence.Iterator(opened)
        number = 0
        while True:
            try:
                frame = next(frames, None)
                if frame is None:
                    return
                pixels = read(frame.convert("RGBA"))
            except Exception as error:  # Pillow's decoders raise nearly every kind there is
                raise PictureError(f"frame {number} of {path} cannot be read ({kind_and_text(error)})") from error
            yield pixels
            number += 1
