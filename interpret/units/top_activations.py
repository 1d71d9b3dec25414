"""The crops of a data set that activate a unit most, and the pattern in each that does (Zeiler and Fergus 2014)."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..datasets.batches import Failed, Prepared, batches, each_alone_on_failure, raised
from ..errors import NetworkError
from ..geometry import Geometry
from ..images.files import read
from ..layer_outputs import check_channels, maps_of
from ..network.backward_rules import Rule
from ..network.hooks import find_layer, left_as_found
from .activations import projection, projection_rule
from .index import Index
from .receptive_field import Field, receptive_field

Entry = tuple[str, float, tuple[int, int]]  # of an index: a picture, the value there, and the place in the layer's map


@dataclass(frozen=True)
class Crop:
    """One place in a picture of a data set that activates a unit."""

    path: Path
    value: float  # of the activation
    place: tuple[int, int]  # row and column in the layer's map
    box: tuple[int, int, int, int]  # left, top, right, bottom: what the unit sees, on the picture's pixels
    image: Tensor  # (1, 3, H, W), the whole picture
    projection: Tensor | None  # (1, 3, H, W), signed; None if the rule finds no activation in the network, or unasked


def identity(classifier: Classifier, layer: str) -> dict[str, Any]:
    """The layer of an index, and all that its values depend on."""
    find_layer(classifier.network, layer)
    return {"layer": layer, **classifier.identity()}


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
    failed: Failed = raised,
) -> Index:
    """Find the strongest places of every channel of a layer over a data set, in memory that does not grow with it.

    Pictures that an index file knows, and whose size and time of change are the same, do not run through
    the network again. An interrupted scan leaves a valid file, from which the next one continues.

    Args:
        classifier: the classifier.
        pictures: the files of the data set.
        layer: the layer's name.
        channels: those that will be asked for; they are checked before the scan, not after it.
        file: the index file, which is read if it exists, and written.
        most: how many pictures will be asked for, for each channel.
        keep: how many the index holds for each channel, at least ``most``.
        batch: how many pictures run at once.
        failed: called with each picture that cannot be used, and the error; by default the error is raised.

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
            # Too many of the strongest pictures are gone, or more are asked for: dropped ones may take their place.
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
    stamps: dict[Path, tuple[int, int]]  # the size and the time of change of every picture
    channels: Sequence[int]
    keep: int
    batch: int
    failed: Failed
    file: str | os.PathLike | None
    refused: set[Path] = field(default_factory=set)

    def run(self) -> None:
        """Run the pictures that the index does not know through the network, and write the index."""
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
        """The paths of a group of pictures, and their activations (n, K, u, v)."""
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
        return -1, -1  # reading the file will say what is wrong
    return status.st_size, status.st_mtime_ns


def strongest_crops(
    classifier: Classifier,
    index: Index,
    channel: int,
    *,
    most: int = 9,
    effective: bool = True,
    rule: Rule | None = None,
    projected: bool = True,
) -> list[Crop]:
    """The crops that activate one channel of an index most, one from each picture, the strongest first.

    Args:
        classifier: the classifier of the index.
        index: from ``scan``.
        channel: its number in the layer.
        most: how many crops.
        effective: crop to the effective receptive field, not to the whole one; see ``receptive_field``.
        rule: of the projections, "deconvnet" or "guided"; by default the one that suits the network.
        projected: whether there are projections, which take a pass forward and one backward each.

    Returns:
        Crops with a value above 0; none for a channel that never responds.

    Raises:
        UnknownNameError: no such channel.
    """
    entries = entries_above_zero(index, channel, most)
    return crops_of(classifier, index, channel, entries, effective=effective, rule=rule, projected=projected)


def entries_above_zero(index: Index, channel: int, most: int) -> list[Entry]:
    """The strongest pictures of a channel that excite it at all."""
    return [entry for entry in index.top(channel, most) if entry[1] > 0]


def crops_of(
    classifier: Classifier,
    index: Index,
    channel: int,
    entries: Sequence[Entry],
    *,
    effective: bool = True,
    rule: Rule | None = None,
    projected: bool = True,
) -> list[Crop]:
    """The crops of some entries of an index; the options are those of ``strongest_crops``."""
    rule, view, crops = rule or projection_rule(classifier.network), classifier.on_inputs(), []
    for path, value, place in entries:
        image = read(path).to(classifier.mean.device)
        geometry = classifier.geometry_of(tuple(image.shape[-2:]))
        box = _on_picture(geometry, _field(index, view, geometry, image).box(place, effective))
        pattern = None
        if projected:
            with suppress(NetworkError):
                found = projection(view, geometry.apply(image), index.about["layer"], channel, place, rule=rule)
                pattern = geometry.spread(found)
        crops.append(Crop(Path(path), value, place, box, image, pattern))
    return crops


def _field(index: Index, view: Classifier, geometry: Geometry, image: Tensor) -> Field:
    """The receptive fields of the index's layer, measured once for each size of the input."""
    size = "{}x{}".format(*geometry.crop)
    if size not in index.fields:
        index.fields[size] = receptive_field(view, geometry.apply(image), index.about["layer"])
    return index.fields[size]


def _on_picture(geometry: Geometry, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """A box on the input grid as one on the picture, at least one pixel in size."""
    left, top, right, bottom = geometry.box
    across, down = (right - left) / geometry.crop[1], (bottom - top) / geometry.crop[0]
    height, width = geometry.picture
    x0, x1 = (min(max(round(left + x * across), 0), width) for x in (box[0], box[2]))
    y0, y1 = (min(max(round(top + y * down), 0), height) for y in (box[1], box[3]))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)
