"""What the commands share that draw one picture by optimisation: the photo, the frames, and Ctrl-C."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret import __version__
from interpret.errors import InterpretError

from . import options
from .inputs import Source, find_pictures
from .outputs import Outputs, write_result

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.drawing.ascend import Step

seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
size_option = click.option(
    "--size",
    type=click.IntRange(16),
    metavar="PIXELS",
    help="Longer side of the result; by default the picture's own, at most 1024.",
)
gif_option = click.option("--gif", type=click.Path(dir_okay=False), help="Write the way there too, as an animation.")
LARGEST = 1024
FRAME_SIDE = 320
FRAMES = 60


def one_picture(given: str) -> Source:
    """The one picture that a word on the command line stands for."""
    source, *others = find_pictures([given], recursive=False)
    if others:
        raise click.UsageError(f"one picture at a time, not {len(others) + 1}")
    return source


def longer_side(image: "Tensor", size: int | None) -> int:
    """The longer side of the result: what was asked for, or else the picture's own within bounds."""
    return size or min(max(image.shape[-2:]), LARGEST)


def check_animation(path: str | None) -> None:
    """Refuse to write an animation into another kind of file."""
    if path is not None and Path(path).suffix.lower() != ".gif":
        raise InterpretError(f"an animation is a .gif file, not {path}")


def write_animation(path: str, frames: list[Any]) -> None:
    """Write Pillow pictures as an animation that begins again at its end, and say where it is."""
    from interpret.images.files import write_bytes

    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    write_bytes(path, buffer.getvalue())
    options.tell(path)


class Frames:
    """Keeps the last step of a run, and small copies of all of them where an animation is wanted."""

    def __init__(self, animation: str | None) -> None:
        check_animation(animation)
        self.animation = animation
        self.last: Tensor | None = None
        self.small: list[Any] = []
        self.scores: list[float] = []

    def __call__(self, step: "Step") -> None:
        """Look at one step."""
        self.last = step.image
        self.scores.append(float(step.scores.mean()))
        if self.animation is not None:
            self.small.append(self._small(step.image))

    def write(self, result: "Tensor") -> None:
        """Write the animation, which ends with the result and rests there."""
        if self.animation is None:
            return
        final = self._small(result)
        every = max(1, -(-len(self.small) // FRAMES))
        shown = [frame.resize(final.size) for frame in self.small[::every]] + [final] * 12
        write_animation(self.animation, shown)

    def _small(self, image: "Tensor") -> Any:
        from interpret.drawing.tiles import fitted
        from interpret.images.files import to_pil

        return to_pil(fitted(coloured(image[:1]), min(FRAME_SIDE, max(image.shape[-2:]))))


def coloured(image: "Tensor") -> "Tensor":
    """(N, 3, H, W) of pictures, also of those that a network for grey ones sees."""
    return image.expand(-1, 3, -1, -1) if image.shape[1] == 1 else image


@contextmanager
def kept_on_interrupt(frames: Frames, save: Callable[["Tensor"], None]) -> Iterator[Callable]:
    """Save the picture so far where Ctrl-C ends the block; the exit status is that of an interruption."""
    try:
        yield save
    except KeyboardInterrupt:
        if frames.last is not None:
            save(frames.last.clamp(0, 1))
        raise


def saving(
    frames: Frames, outputs: Outputs, source: Source, about: dict[str, Any]
) -> AbstractContextManager[Callable[["Tensor"], None]]:
    """A block that is given what writes its picture and the animation, and that Ctrl-C may end early."""

    def save_both(result: "Tensor") -> None:
        save_picture(result, outputs, source, about)
        frames.write(result)

    return kept_on_interrupt(frames, save_both)


def save_picture(image: "Tensor", outputs: Outputs, source: Source, about: dict[str, Any]) -> None:
    """Write a picture (1, 3, H, W) in [0, 1] under its command's name and say where it is."""
    from interpret.images.files import to_pil

    save(to_pil(image.cpu()), outputs, source, about)


def save(result: Any, outputs: Outputs, source: Source, about: dict[str, Any]) -> None:
    """Write a Pillow picture or a figure under its command's name and say where it is."""
    path = outputs.place(source.inside.with_suffix(""), about["command"])
    write_result(path, result, about)
    if path is not None:
        options.tell(str(path))


def about_run(command: str, settings: dict[str, Any], classifier: "Classifier", **more: Any) -> dict[str, Any]:
    """What one needs to make a picture again.

    Args:
        command: its name.
        settings: the command's parameters, before the model's are taken out.
        classifier: the network that looked at it.
        more: the other choices.
    """
    import torch

    from interpret.network.fingerprint import fingerprint

    return {
        "command": command,
        "model": settings["model"],
        "weights": settings["weights"] or "published",
        "weights_hash": fingerprint(classifier.network),
        **more,
        "versions": {"interp": __version__, "torch": torch.__version__},
    }


def no_raw_format(outputs: Outputs) -> None:
    """Refuse the formats for raw numbers: what is drawn is a picture."""
    if outputs.suffix in (".npy", ".npz"):
        raise InterpretError(f"what is drawn is a picture; {outputs.suffix} files hold attributions")
