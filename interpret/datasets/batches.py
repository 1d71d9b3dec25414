"""Pictures read ahead in threads and handed to a network several at a time, whatever their sizes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, NetworkError, PictureError
from ..geometry import Geometry
from ..images.files import pixels_hash, read_stored
from ..images.files import read as read_file
from ..images.levels import in_unit_range
from ..images.stored import inputs_of
from ..progress import progress_bar
from .threads import PIXELS, WORKERS, in_threads

INPUT_PIXELS = 2**21  # of the network's inputs that a batch may hold, whose activations are many times larger

Failed = Callable[[Any, Exception], None]
Made = TypeVar("Made")


@dataclass(frozen=True)
class Prepared:
    """A picture that was read and laid on a network's input grid."""

    item: Any  # what it was read from
    stored: Tensor | None  # (1, C, H, W), where it is kept: 8-bit levels (uint8), or float32 in [0, 1]
    pixels_hash: str  # of the picture as it was read, where it is kept
    inputs: Tensor  # (1, C, h, w) on the network's device and input grid
    geometry: Geometry  # where the inputs lie on the image

    @property
    def image(self) -> Tensor:
        """(1, C, H, W) in [0, 1], which takes four times the memory of levels."""
        return in_unit_range(self.stored)


def raised(item: Any, error: Exception) -> None:
    """Raise the error of an item that cannot be used, for callers who do not handle it."""
    raise error


def batches(
    items: Sequence[Any],
    classifier: Classifier,
    failed: Failed = raised,
    *,
    read: Callable[[Any], Tensor] = read_stored,
    batch_size: int = 8,
    workers: int = WORKERS,
    keep: bool = True,
    on_grid: bool = False,
    waits: Callable[[Any], bool] = lambda item: False,
    bar: bool = True,
) -> Iterator[list[Prepared]]:
    """Read pictures in threads, and yield them in batches for a network, in their order.

    Args:
        items: what to read: files, samples, or whatever ``read`` takes.
        classifier: the pictures are laid on its device and its input grid.
        failed: called with each item that cannot be read or prepared, and with the error; by default
            the error is raised.
        read: from an item to a picture (1, C, H, W), as 8-bit levels (uint8) or in [0, 1]; runs in a thread.
        batch_size: how many pictures a batch holds at most; fewer where they are large.
        workers: how many threads read.
        keep: whether the pictures themselves are kept, at full size.
        on_grid: whether a picture is replaced by what the network sees of it, in [0, 1].
        waits: says of an item whether reading it may never end, as of standard input; such an item is read
            in the caller's thread.
        bar: whether there is a progress bar, on a terminal.

    Yields:
        Lists of pictures, whose inputs (1, C, h, w) all have one size in each list.

    Raises:
        PictureError: a picture that cannot be read, unless ``failed`` handles it.
    """
    device, batch, room = classifier.mean.device, [], 1.0
    largest = PIXELS  # of the pictures so far; the first one is read alone

    def decoded(item: Any) -> tuple[Tensor, str]:
        nonlocal largest
        image = read(item)
        largest = max(image[0, 0].numel(), 0 if largest == PIXELS else largest)
        digits = pixels_hash(image) if keep else ""
        return image.pin_memory() if device.type == "cuda" else image, digits

    with progress_bar(len(items), None, "picture", wanted=bar, delay=0) as progress:
        for item, reading in in_threads(decoded, items, workers, here=waits, ahead=lambda: PIXELS // largest):
            progress.update()
            try:
                picture = _prepared(item, classifier, *reading.result(), keep=keep, on_grid=on_grid)
            except (PictureError, RuntimeError) as error:
                failed(item, error)
                continue
            finally:
                del reading
            size = _share_of_memory(picture, classifier)
            other_size = batch and batch[0].inputs.shape != picture.inputs.shape
            if batch and (other_size or len(batch) == batch_size or size > room):
                yield batch
                batch, room = [], 1.0
            batch.append(picture)
            room -= size
            del picture
            if room <= 0:  # the next one is large, too, perhaps: it is read when this one is done with
                yield batch
                batch, room = [], 1.0
        if batch:
            yield batch


def _prepared(item: Any, classifier: Classifier, image: Tensor, digits: str, *, keep: bool, on_grid: bool) -> Prepared:
    geometry = classifier.geometry_of(tuple(image.shape[-2:]))
    inputs = inputs_of(image.to(classifier.mean.device, non_blocking=True), geometry)
    if on_grid:
        inputs = inputs.clamp(0, 1)  # bicubic resizing overshoots; a picture does not
        image, geometry = inputs.cpu() if keep else image, classifier.on_inputs().prepare(inputs)[1]
    return Prepared(item, image if keep else None, digits, inputs, geometry)


def _share_of_memory(picture: Prepared, classifier: Classifier) -> float:
    """The share of a batch's memory that a picture takes."""
    tiles = classifier.tiles_of(picture.inputs)
    pixels = picture.inputs[0, 0].numel() if tiles is None else len(tiles.corners) * prod(tiles.size)
    share = pixels / INPUT_PIXELS
    return share if picture.stored is None else max(share, picture.stored[0, 0].numel() / PIXELS)


def each_alone_on_failure(
    batch: Sequence[Prepared], run: Callable[[Sequence[Prepared]], Iterable[Made]], failed: Failed
) -> Iterable[Made]:
    """What a function makes of a batch or, if it fails, of each picture alone; pictures that fail alone are reported.

    A network fails with a RuntimeError on too small a picture, or on too many for its memory. A NetworkError on a
    single picture is raised: no picture can be explained then.
    """
    try:
        return run(batch)
    except (RuntimeError, NetworkError) as error:
        if len(batch) == 1:
            if isinstance(error, NetworkError):
                raise
            failed(batch[0].item, error)
            return ()
    return (made for picture in batch for made in each_alone_on_failure([picture], run, failed))


def stacked_inputs(
    items: Sequence[Any], classifier: Classifier, failed: Failed, *, read: Callable[[Any], Tensor] = read_file
) -> Tensor:
    """Read pictures onto a classifier's input grid, as one tensor (N, C, h, w) in [0, 1]; the options are `batches`'.

    InterpretError if none can be read, or if they differ in size and the network takes any.
    """
    inputs = []
    for item in items:
        try:
            # Bicubic resizing overshoots; a picture does not.
            inputs.append(classifier.prepare(read(item))[0].clamp(0, 1).to(classifier.mean.device))
        except (PictureError, RuntimeError) as error:
            failed(item, error)
    if not inputs:
        raise InterpretError("none of the pictures could be read")
    if len({picture.shape for picture in inputs}) > 1:
        raise InterpretError("the pictures differ in size; give --input-size")
    return torch.cat(inputs)
