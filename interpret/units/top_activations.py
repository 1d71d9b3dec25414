"""The crops of a data set that excite a unit most, and the pattern in each that does (Zeiler and Fergus 2014)."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import NetworkError, PictureError
from ..geometry import Geometry
from ..images.files import read
from ..network.backward_rules import Rule
from ..network.fingerprint import fingerprint
from ..network.hooks import find_layer, left_as_found
from .activations import maps_of, projection, projection_rule
from .index import Index, check_channels
from .receptive_field import receptive_field

Failed = Callable[[Path, Exception], None]


@dataclass(frozen=True)
class Crop:
    """One place of a data set that excites a unit."""

    path: Path
    value: float  # of the activation
    place: tuple[int, int]  # row and column in the layer's map
    box: tuple[int, int, int, int]  # left, top, right, bottom: what the unit sees, on the picture's pixels
    image: Tensor  # (1, 3, H, W), the whole picture
    projection: Tensor | None  # (1, 3, H, W), signed; None where the rule finds no activation


def identity(classifier: Classifier, layer: str) -> dict[str, Any]:
    """What an index is of: the exact weights, the layer, and how pictures are prepared."""
    find_layer(classifier.network, layer)
    return {
        "layer": layer,
        "weights": fingerprint(classifier.network),
        "preprocessing": [
            classifier.mean.flatten().tolist(),
            classifier.std.flatten().tolist(),
            classifier.input_size and list(classifier.input_size),
            classifier.resize,
            classifier.interpolation,
        ],
    }


def _raise(path: Path, error: Exception) -> None:
    raise error


def scan(
    classifier: Classifier,
    pictures: Sequence[Path],
    layer: str,
    channels: Sequence[int] = (),
    *,
    file: str | os.PathLike | None = None,
    most: int = 9,
    keep: int = 20,
    batch: int = 16,
    failed: Failed = _raise,
    watch: Callable[[list[Path]], Iterable[Path]] = iter,
) -> Index:
    """Find the strongest places of every channel of a layer over a data set, in memory that does not grow with it.

    Pictures that an index file knows, and whose size and time of change are as they were, are not run
    through the network again. An interrupted scan leaves a valid file, from which the next one goes on.

    Args:
        classifier: the classifier.
        pictures: the files of the data set.
        layer: the layer's name.
        channels: those that will be asked for, to be checked before the scan and not after it.
        file: the index file, which is read if it is there and written.
        most: how many pictures will be asked for a channel.
        keep: how many to hold a channel, at least ``most``.
        batch: how many pictures to run at once.
        failed: called with each picture that cannot be used; by default the error is raised.
        watch: wraps the pictures that are scanned, as a progress bar does.

    Returns:
        The index.

    Raises:
        UnknownNameError: no such layer, or a channel that it does not have.
        InterpretError: the file is something else, damaged, or of another network or layer.
        NetworkError: activations that are not finite.
    """
    about = identity(classifier, layer)
    index = Index(about) if file is None else Index.open(file, about)
    stamps = {path.resolve(): _stamp(path) for path in pictures}
    index.forget({known for known, stamp in index.files.items() if stamps.get(Path(known)) != stamp})
    if index.files:
        check_channels(channels, len(index.values), layer)
    refused: set[Path] = set()

    def refuse(path: Path, error: Exception) -> None:
        refused.add(path)
        failed(path, error)

    def scan_unknown() -> None:
        unknown = [path for path in stamps if str(path) not in index.files and path not in refused]
        for group in _batches(classifier, watch(unknown), batch, refuse):
            for paths, maps in _maps(classifier, layer, group, refuse):
                check_channels(channels, maps.shape[1], layer)
                index.add([(str(path), stamps[path]) for path in paths], maps.float().cpu(), max(keep, most))
        if unknown and file is not None:
            index.save(file)

    try:
        scan_unknown()
        if index.files and not index.knows(channels, most):
            # So many of the strongest have gone, or so many more are asked for, that others may take their place.
            index.clear()
            scan_unknown()
    except KeyboardInterrupt:
        if file is not None and index.files:
            index.save(file)
        raise
    return index


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return -1, -1  # reading it will say what is wrong
    return status.st_size, status.st_mtime_ns


def _batches(
    classifier: Classifier, pictures: Iterable[Path], batch: int, refuse: Failed
) -> Iterator[list[tuple[Path, Tensor]]]:
    """Pictures on the network's input grid, (1, C, h, w), in groups of equal size."""
    group: list[tuple[Path, Tensor]] = []
    for path in pictures:
        try:
            inputs = classifier.prepare(read(path).to(classifier.mean.device))[0]
        except (PictureError, RuntimeError) as error:
            refuse(path, error)
            continue
        if group and (len(group) == batch or inputs.shape != group[0][1].shape):
            yield group
            group = []
        group.append((path, inputs))
    if group:
        yield group


def _maps(
    classifier: Classifier, layer: str, group: list[tuple[Path, Tensor]], refuse: Failed
) -> Iterator[tuple[list[Path], Tensor]]:
    """What the layer gives for a group; picture by picture where the group as a whole fails."""
    paths = [path for path, _ in group]
    try:
        with left_as_found(classifier), torch.no_grad():
            maps = maps_of(classifier.on_inputs(), torch.cat([inputs for _, inputs in group]), layer)
    except RuntimeError as error:
        # The network's own: too small a picture, or too many for memory.
        if len(group) == 1:
            refuse(paths[0], error)
        else:
            for one in group:
                yield from _maps(classifier, layer, [one], refuse)
        return
    yield paths, maps


def strongest_crops(
    classifier: Classifier,
    index: Index,
    channel: int,
    *,
    most: int = 9,
    effective: bool = True,
    rule: Rule | None = None,
) -> list[Crop]:
    """The crops that excite one unit of an index most, one a picture, strongest first.

    Args:
        classifier: the classifier that the index is of.
        index: from ``scan``.
        channel: of its layer.
        most: how many.
        effective: cut to the window that matters most to the unit, not to all that could; see
            ``receptive_field``.
        rule: of the projections, "deconvnet" or "guided"; by default ``projection_rule``.

    Returns:
        Those with a value above 0: none for a unit that never answers.

    Raises:
        UnknownNameError: no such channel.
    """
    found = [entry for entry in index.top(channel, most) if entry[1] > 0]
    rule = rule or projection_rule(classifier.network)
    return [_crop(classifier, index, channel, *entry, effective, rule) for entry in found]


def _crop(
    classifier: Classifier,
    index: Index,
    channel: int,
    path: str,
    value: float,
    place: tuple[int, int],
    effective: bool,
    rule: Rule,
) -> Crop:
    image = read(path).to(classifier.mean.device)
    inputs, geometry = classifier.prepare(image)
    view, layer = classifier.on_inputs(), index.about["layer"]
    size = f"{inputs.shape[2]}x{inputs.shape[3]}"
    if size not in index.fields:
        index.fields[size] = receptive_field(view, inputs, layer)
    box = _on_picture(geometry, index.fields[size].box(place, effective))
    try:
        pattern = geometry.spread(projection(view, inputs, layer, channel, place, rule=rule))
    except NetworkError:
        pattern = None
    return Crop(Path(path), value, place, box, image, pattern)


def _on_picture(geometry: Geometry, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """A box on the input grid as one on the picture's pixels, at least one in size."""
    left, top, right, bottom = geometry.box
    across, down = (right - left) / geometry.crop[1], (bottom - top) / geometry.crop[0]
    height, width = geometry.picture
    x0, x1 = (min(max(round(left + x * across), 0), width) for x in (box[0], box[2]))
    y0, y1 = (min(max(round(top + y * down), 0), height) for y in (box[1], box[3]))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)
