"""What the commands share that make one picture by optimisation: the options, the frames, and Ctrl-C."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.bounds import LARGEST_SIDE
from interpret.errors import InterpretError, NetworkError, PictureError, is_out_of_memory, kind_and_text

from ..job.results import Outputs, write_result
from ..job.sources import Source
from ..options.messages import Messages, tell
from ..options.numbers import Number
from ..options.record import option
from ..options.safety import Written

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.drawing.ascend import Step

LARGEST = 1024
FRAME_SIDE = 320
FRAMES = 60
ANIMATIONS = {".gif": "GIF", ".webp": "WEBP"}
FRAME_TIME = 80  # milliseconds


def size_option() -> Any:
    """How large the result is."""
    text = "The longer side of the result in pixels; by default the picture's own, at most 1024."
    return option(text, type=Number(16, LARGEST_SIDE), metavar="PIXELS")


def gif_option() -> Any:
    """Whether there is an animation."""
    return option("Also write the way there to this file, as an animation.", type=Written(dir_okay=False))


def longer_side(image: "Tensor", size: int | None) -> int:
    """The longer side of the result: what was asked for, or else the picture's own within bounds."""
    return size or min(max(image.shape[-2:]), LARGEST)


def check_drawable(classifier: "Classifier") -> None:
    """Refuse, before anything is drawn, a network whose pictures no file can show."""
    channels = len(classifier.mean)
    if channels not in (1, 3):
        raise NetworkError(f"the network takes pictures of {channels} channels, and those of 1 and of 3 can be drawn")


def check_animation(path: str | None) -> None:
    """Refuse to write an animation into another kind of file, or into one whose package is missing."""
    from interpret.images.video import SUFFIX, check_video, is_video

    if path is None:
        return
    if is_video(path):
        check_video()
    elif Path(path).suffix.lower() not in ANIMATIONS:
        raise InterpretError(f"an animation is a {', '.join(ANIMATIONS)} or {SUFFIX} file, not {path}")


def write_animation(path: str, frames: list["Image"]) -> None:
    """Write pictures as an animation, and say where it is."""
    save_animation(path, frames)
    tell(path)


def save_animation(path: str, frames: list["Image"]) -> None:
    """Write pictures as an animation that begins again at its end; a player decides that for an MP4 file."""
    from interpret.images.files import write_bytes
    from interpret.images.video import is_video, video

    if is_video(path):
        write_bytes(path, video(frames, FRAME_TIME))
        return
    buffer, kind = io.BytesIO(), ANIMATIONS[Path(path).suffix.lower()]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=FRAME_TIME, loop=0)
    write_bytes(path, buffer.getvalue())


class Frames:
    """Keeps the last step of a run, and small copies of all of them where an animation is asked for."""

    def __init__(self, animation: str | None) -> None:
        check_animation(animation)
        self.animation = animation
        self.last: Tensor | None = None
        self.small: list[Image] = []
        self.scores: list[float] = []

    def __call__(self, step: "Step") -> None:
        """Take one step of the optimisation."""
        self.last = step.image
        self.scores.append(float(step.scores.mean()))
        if self.animation is not None:
            self.small.append(_small(step.image))

    def write(self, result: "Tensor") -> None:
        """Write the animation, which ends with the result and rests there."""
        if self.animation is None:
            return
        final = _small(result)
        every = max(1, -(-len(self.small) // FRAMES))
        shown = [frame.resize(final.size) for frame in self.small[::every]] + [final] * 12
        write_animation(self.animation, shown)

    @property
    def progress(self) -> str:
        """How far the objective has come, in words."""
        return f"the objective went from {self.scores[0]:.3g} to {self.scores[-1]:.3g}"


def _small(image: "Tensor") -> "Image":
    from interpret.drawing.tiles import fitted
    from interpret.images.files import in_colour, to_pil

    return to_pil(fitted(in_colour(image[:1]), min(FRAME_SIDE, max(image.shape[-2:]))))


@contextmanager
def kept_on_interrupt(frames: Frames, save: Callable[["Tensor"], None]) -> Iterator[Callable]:
    """Save the picture so far where Ctrl-C ends the block; the exit status is that of an interruption."""
    try:
        yield save
    except KeyboardInterrupt:
        if frames.last is not None:
            save(frames.last.clamp(0, 1))
        raise
    except (RuntimeError, AssertionError) as error:  # as networks complain
        if is_out_of_memory(error) or isinstance(error, NetworkError):
            raise
        raise NetworkError(
            f"the network cannot take this picture at one of its sizes ({kind_and_text(error)}); try another --size"
        ) from error


def saving(
    frames: Frames, outputs: Outputs, source: Source, about: dict[str, Any]
) -> AbstractContextManager[Callable[["Tensor"], None]]:
    """A block that is given what writes its picture and the animation, and that Ctrl-C may end early."""

    def save_both(result: "Tensor") -> None:
        from interpret.images.files import to_pil

        save(to_pil(result.cpu()), outputs, source, about)
        frames.write(result)

    return kept_on_interrupt(frames, save_both)


def each_of(
    photos: Sequence[Source], classifier: "Classifier", run: Callable[[Source, "Tensor"], None], messages: Messages
) -> None:
    """Read photos and work on one after another; the exit status is 1 where some cannot be read."""
    failed = 0
    for photo in photos:
        try:
            image = photo.read().to(classifier.mean.device)
        except PictureError as error:
            failed += 1
            messages.failure(photo.shown, error)
        else:
            run(photo, image)
    if failed:
        raise click.exceptions.Exit(1)


def save(result: "Image | Figure", outputs: Outputs, source: Source, about: dict[str, Any]) -> None:
    """Write a picture or a figure under its command's name and say where it is."""
    path = outputs.place(source.inside.with_suffix(""), about["command"])
    write_result(path, result, about)
    if path is not None:
        tell(str(path))
