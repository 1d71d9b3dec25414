"""The crops of a data set that excite a unit most, and the pattern in each that does (Zeiler and Fergus 2014)."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..datasets.batches import Prepared, batches, each_alone_on_failure
from ..errors import NetworkError
from ..geometry import Geometry
from ..images.files import read
from ..network.backward_rules import Rule
from ..network.hooks import find_layer, left_as_found
from .activations import maps_of, projection, projection_rule
from .index import Index, check_channels
from .receptive_field import Field, receptive_field

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
    """What an index is of: a layer, and all that its values depend on."""
    find_layer(classifier.network, layer)
    return {"layer": layer, **classifier.identity()}


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
    work = _Scan(classifier, index, stamps, channels, max(keep, most), batch, failed, file)
    try:
        work.run()
        if index.files and not index.knows(channels, most):
            # So many of the strongest have gone, or so many more are asked for, that others may take their place.
            index.clear()
            work.run()
    except KeyboardInterrupt:
        if file is not None and index.files:
            index.save(file)
        raise
    return index


@dataclass
class _Scan:
    """The pictures of a data set on their way into an index."""

    classifier: Classifier
    index: Index
    stamps: dict[Path, tuple[int, int]]  # of every picture: size and time of change
    channels: Sequence[int]
    keep: int
    batch: int
    failed: Failed
    file: str | os.PathLike | None
    refused: set[Path] = field(default_factory=set)

    def run(self) -> None:
        """Run the pictures that the index does not know through the network, and write it."""
        unknown = [path for path in self.stamps if str(path) not in self.index.files and path not in self.refused]
        self.index.scanned += len(unknown)
        for group in batches(unknown, self.classifier, self._refuse, batch_size=self.batch, keep=False):
            for paths, maps in each_alone_on_failure(group, self._maps, self._refuse):
                check_channels(self.channels, maps.shape[1], self.index.about["layer"])
                known = [(str(path), self.stamps[path]) for path in paths]
                self.index.add(known, maps.float().cpu(), self.keep)
        if unknown and self.file is not None:
            self.index.save(self.file)

    def _maps(self, group: Sequence[Prepared]) -> list[tuple[list[Path], Tensor]]:
        """The paths of a group and what the layer gives for it, (n, K, u, v)."""
        with left_as_found(self.classifier), torch.no_grad():
            inputs = torch.cat([picture.inputs for picture in group])
            maps = maps_of(self.classifier.on_inputs(), inputs, self.index.about["layer"])
        return [([picture.item for picture in group], maps)]

    def _refuse(self, path: Path, error: Exception) -> None:
        self.refused.add(path)
        self.failed(path, error)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return -1, -1  # reading it will say what is wrong
    return status.st_size, status.st_mtime_ns


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
    rule = rule or projection_rule(classifier.network)
    found = [entry for entry in index.top(channel, most) if entry[1] > 0]
    crops = []
    for path, value, place in found:
        image = read(path).to(classifier.mean.device)
        inputs, geometry = classifier.prepare(image)
        view = classifier.on_inputs()
        box = _on_picture(geometry, _field(index, view, inputs).box(place, effective))
        try:
            pattern = geometry.spread(projection(view, inputs, index.about["layer"], channel, place, rule=rule))
        except NetworkError:
            pattern = None
        crops.append(Crop(Path(path), value, place, box, image, pattern))
    return crops


def _field(index: Index, view: Classifier, inputs: Tensor) -> Field:
    """The receptive fields of the index's layer, measured once for each size of the network's input."""
    size = f"{inputs.shape[2]}x{inputs.shape[3]}"
    if size not in index.fields:
        index.fields[size] = receptive_field(view, inputs, index.about["layer"])
    return index.fields[size]


def _on_picture(geometry: Geometry, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """A box on the input grid as one on the picture's pixels, at least one in size."""
    left, top, right, bottom = geometry.box
    across, down = (right - left) / geometry.crop[1], (bottom - top) / geometry.crop[0]
    height, width = geometry.picture
    x0, x1 = (min(max(round(left + x * across), 0), width) for x in (box[0], box[2]))
    y0, y1 = (min(max(round(top + y * down), 0), height) for y in (box[1], box[3]))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)
