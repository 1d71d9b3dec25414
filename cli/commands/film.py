"""A film of dreams: each frame begins with a little of the dream before it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from interpret.bounds import BELOW_1
from interpret.errors import InterpretError, PictureError

from ..job.sources import Source
from ..options.messages import Messages
from ..options.numbers import Number
from ..options.record import option
from ..options.safety import Written
from .optimised import check_animation, write_animation

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FilmOptions:
    """Whether pictures are the frames of a film."""

    film: str | None = option(
        "Write a film of dreams, as this .gif, .webp or .mp4. Its frames are the pictures of the folder, in order, or "
        "those of an animated picture or an .mp4.",
        type=Written(dir_okay=False),
        metavar="FILE",
    )
    blend: float = option(
        "How much of the last frame's dream the next frame of a film begins with.",
        default=0.5,
        type=Number(0.0, BELOW_1),
    )

    def check(self, gif: str | None, output: str | None) -> None:
        """Refuse another kind of file, and other results beside it, before the work."""
        check_animation(self.film)
        if self.film and (gif or output):
            raise InterpretError("--film is all that is written; leave out --gif and --output")


def write_film(
    options: FilmOptions, photos: Sequence[Source], dream: Callable[["Tensor"], "Tensor"], messages: Messages
) -> None:
    """Dream of one frame after another and write the film; Ctrl-C writes what there is of it.

    A frame that cannot be read is left out and reported; the exit status is then 1.
    """
    from torch.nn.functional import interpolate

    from interpret.images.files import in_colour, to_pil

    shown, last, failed = [], None, []
    try:
        for frame in _frames(photos, failed, messages):
            if last is not None:
                before = interpolate(last, frame.shape[-2:], mode="bilinear", antialias=True)
                frame = frame.lerp(before.to(frame), options.blend)
            last = in_colour(dream(frame)).cpu()
            shown.append(to_pil(last))
    finally:
        if shown:
            write_animation(options.film, [frame.resize(shown[0].size) for frame in shown])
    if failed:
        raise click.exceptions.Exit(1)


def _frames(photos: Sequence[Source], failed: list[Source], messages: Messages) -> Iterator["Tensor"]:
    from interpret.images.animation import frames_of

    for photo in photos:
        try:
            yield from [photo.read()] if photo.path is None else frames_of(photo.path)
        except PictureError as error:
            failed.append(photo)
            messages.failure(photo.shown, error)
