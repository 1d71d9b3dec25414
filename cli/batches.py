"""Pictures read ahead in threads and handed to a network several at a time, whatever their sizes."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from interpret.errors import NetworkError, PictureError

from .inputs import Source, picture_hash
from .overlapped import in_threads

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.geometry import Geometry

# Of the pictures of a batch that are kept at full size, 200 MB; and of what the network is given, whose activations
# are many times larger.
PIXELS, INPUT_PIXELS = 2**24, 2**21

Fail = Callable[[Source, Exception], None]
Made = TypeVar("Made")

batch_option = click.option(
    "--batch-size", type=click.IntRange(1), default=8, show_default=True, help="Pictures at a time."
)
WORKERS = min(4, os.cpu_count() or 1)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    default=WORKERS,
    help="Threads that read, and threads that write, beside the network; one for each core, up to 4, by default.",
)


@dataclass(frozen=True)
class Picture:
    """A picture that was read, and where the network's input lies on it."""

    source: Source
    more: Any  # what the caller knows of it
    digits: str  # the hash of its pixels
    image: "Tensor | None"  # (1, C, H, W), where it is kept
    inputs: "Tensor"  # (1, C, h, w) on the network's device and input grid
    geometry: "Geometry"


def batches(
    work: Sequence[tuple[Source, Any]],
    classifier: "Classifier",
    fail: Fail,
    *,
    batch_size: int,
    workers: int = WORKERS,
    keep: bool = True,
    on_grid: bool = False,
    bar: bool = True,
) -> Iterator[list[Picture]]:
    """As many pictures as the network takes at once, in their order.

    Args:
        work: pictures, and what the caller knows of each.
        classifier: on whose input grid and device they are laid; those of a batch have the same size there.
        fail: is told of what cannot be read.
        batch_size: how many at once, at the most.
        workers: how many threads read.
        keep: whether the pictures themselves are kept, at full size.
        on_grid: whether a picture is replaced by what the network sees of it, in [0, 1].
        bar: whether there is a progress bar, on a terminal.

    Yields:
        One batch after the other.
    """
    from tqdm import tqdm

    from interpret.progress import bars_wanted

    device, batch, room = classifier.mean.device, [], 1.0

    def read(item: tuple[Source, Any]) -> "tuple[Tensor, str]":
        image = item[0].read()
        digits = picture_hash(image) if keep else ""
        return image.pin_memory() if device.type == "cuda" else image, digits

    def prepared(source: Source, more: Any, image: "Tensor", digits: str) -> Picture:
        inputs, geometry = classifier.prepare(image.to(device, non_blocking=True))
        if on_grid:
            # Bicubic resizing overshoots; a picture does not.
            inputs = inputs.clamp(0, 1)
            image, geometry = inputs.cpu() if keep else image, classifier.on_inputs().prepare(inputs)[1]
        return Picture(source, more, digits, image if keep else None, inputs, geometry)

    hidden = not (bar and bars_wanted())
    with tqdm(total=len(work), disable=hidden or None, leave=False, unit="picture") as progress:
        piped = in_threads(read, work, workers, here=lambda item: item[0].path is None)  # standard input may never end
        for (source, more), reading in piped:
            progress.update()
            try:
                picture = prepared(source, more, *reading.result())
            except (PictureError, RuntimeError) as error:
                fail(source, error)
                continue
            size = picture.inputs[0, 0].numel() / INPUT_PIXELS
            if keep:
                size = max(size, picture.image[0, 0].numel() / PIXELS)
            other = batch and batch[0].inputs.shape != picture.inputs.shape
            if batch and (other or len(batch) == batch_size or size > room):
                yield batch
                batch, room = [], 1.0
            batch.append(picture)
            room -= size
        if batch:
            yield batch


def tried(batch: Sequence[Picture], run: Callable[[Sequence[Picture]], Iterable[Made]], fail: Fail) -> Iterable[Made]:
    """What a function makes of a batch, or else of each picture alone; one that fails alone too is reported.

    What fails is the network, with a RuntimeError: on too small a picture, or on too many for its memory. One that
    cannot be explained at all raises a NetworkError for a picture alone, too.
    """
    try:
        return run(batch)
    except (RuntimeError, NetworkError) as error:
        if len(batch) == 1:
            if isinstance(error, NetworkError):
                raise
            fail(batch[0].source, error)
            return ()
    return (made for picture in batch for made in tried([picture], run, fail))
