"""The strongest places of every channel of a layer over a data set, and the file that keeps them."""

import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InterpretError, NetworkError
from ..images.files import write_bytes
from ..layer_outputs import check_channels
from .receptive_field import Axis, Field

KIND = "interp top activations 2"  # marks an index file, in this version of its format


class Index:
    """The strongest places of every channel of a layer over a data set, at most one in each picture.

    It holds a fixed number of values for each channel, however large the data set. What an index file says of a
    picture is valid while its size and time of change stay the same; ``scan`` looks at the other pictures. ``about``
    says of which network and layer the index is.
    """

    def __init__(self, about: dict[str, Any]) -> None:
        self.about = about
        self.scanned = 0  # pictures that this process has run through the network
        self.files: dict[str, tuple[int, int]] = {}  # path -> size in bytes, time of change in ns
        self.fields: dict[str, Field] = {}  # size of the network's input -> receptive fields
        self.values = torch.empty(0, 0)  # (K, T), the strongest first; -inf in unused entries
        self.pictures = torch.empty(0, 0, dtype=torch.long)  # (K, T), positions in `files`
        self.places = torch.empty(0, 0, 2, dtype=torch.long)  # (K, T, 2), rows and columns
        self.floor = torch.empty(0)  # (K,), the largest value that was dropped for want of room

    def top(self, channel: int, most: int) -> list[tuple[str, float, tuple[int, int]]]:
        """Path, value and place of the strongest pictures of a channel, in this order."""
        check_channels([channel], len(self.values), self.about["layer"])
        paths = list(self.files)
        rows = zip(*(held[channel].tolist() for held in (self.values, self.pictures, self.places)), strict=True)
        return [(paths[picture], value, tuple(place)) for value, picture, place in rows if value > -torch.inf][:most]

    def knows(self, channels: Iterable[int], most: int) -> bool:
        """Whether the ``most`` strongest pictures of these channels are certainly in the index."""
        wanted = min(most, len(self.files))
        certain = (self.values >= self.floor[:, None]) & (self.values > -torch.inf)
        return all(int(certain[channel].sum()) >= wanted for channel in channels)

    def forget(self, gone: set[str]) -> None:
        """Remove pictures from the index."""
        kept = [path not in gone for path in self.files]
        self.files = {path: stamp for path, stamp in self.files.items() if path not in gone}
        if self.values.numel():
            known = torch.tensor(kept, dtype=torch.bool)
            self.values[~known[self.pictures]] = -torch.inf
            self.pictures = (known.long().cumsum(0) - 1).clamp(min=0)[self.pictures]
            self._sort(self.values.shape[1])

    def add(self, files: Sequence[tuple[str, tuple[int, int]]], maps: Tensor, keep: int) -> None:
        """Add pictures with their activations (N, K, u, v)."""
        values, flat = maps.flatten(2).max(2)
        if not torch.isfinite(values).all():
            broken = files[int((~torch.isfinite(values)).any(1).nonzero()[0, 0])][0]
            raise NetworkError(f"layer {self.about['layer']!r} gives values that are not finite for {broken}")
        places = torch.stack([flat // maps.shape[3], flat % maps.shape[3]], 2)
        numbers = torch.arange(len(self.files), len(self.files) + len(files)).expand(maps.shape[1], -1)
        if not self.values.numel():
            self.values, self.pictures = values.new_empty(len(numbers), 0), numbers[:, :0]
            self.places, self.floor = places.new_empty(len(numbers), 0, 2), values.new_full([len(numbers)], -torch.inf)
        self.files.update(files)
        self.values = torch.cat([self.values, values.T], 1)
        self.pictures = torch.cat([self.pictures, numbers], 1)
        self.places = torch.cat([self.places, places.transpose(0, 1)], 1)
        self._sort(keep)

    def clear(self) -> None:
        """Forget every picture, also that some were dropped."""
        self.forget(set(self.files))
        self.floor.fill_(-torch.inf)

    def _sort(self, keep: int) -> None:
        self.values, order = self.values.sort(dim=1, descending=True, stable=True)
        self.pictures = self.pictures.gather(1, order)
        self.places = self.places.gather(1, order[..., None].expand(-1, -1, 2))
        if self.values.shape[1] > keep:
            self.floor = torch.maximum(self.floor, self.values[:, keep])
            self.values, self.pictures, self.places = (
                held[:, :keep].clone() for held in (self.values, self.pictures, self.places)
            )

    def save(self, path: str | os.PathLike) -> None:
        """Write the index, whole or not at all; PictureError if that fails."""
        about = {"kind": KIND, **self.about, "fields": {size: asdict(field) for size, field in self.fields.items()}}
        arrays = {name: getattr(self, name).numpy() for name in ("values", "pictures", "places", "floor")}
        stamps = np.array(list(self.files.values()), dtype=np.int64).reshape(-1, 2)
        text = {"about": np.array(json.dumps(about)), "files": np.array(list(self.files), dtype=np.str_)}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **text, stamps=stamps, **arrays)
        write_bytes(path, buffer.getvalue())

    @classmethod
    def open(cls, path: str | os.PathLike, about: dict[str, Any]) -> "Index":
        """The index in a file, empty if there is no file; InterpretError if the file is of another network or layer."""
        index = cls(about)
        if not os.path.lexists(path):
            return index
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                stored = {name: arrays[name] for name in arrays.files}
            header = json.loads(str(stored["about"]))
            if header.pop("kind") != KIND:
                raise ValueError("another kind of file")
            index.fields = {
                size: Field(*(Axis(**axis) for axis in field.values())) for size, field in header.pop("fields").items()
            }
            index._fill(stored)
        except Exception as error:  # what a foreign or damaged file raises depends on what it is
            raise InterpretError(
                f"{path} is no index of top activations, or it is damaged; delete it, or name another with --index"
            ) from error
        other = next((key for key in about if header.get(key) != about[key]), None)
        if other:
            raise InterpretError(
                f"{path} is the index of another {other} ({header.get(other)}); name another file with --index"
            )
        return index

    def _fill(self, stored: dict[str, np.ndarray]) -> None:
        self.files = dict(zip(stored["files"].tolist(), map(tuple, stored["stamps"].tolist()), strict=True))
        for name in ("values", "pictures", "places", "floor"):
            setattr(self, name, torch.from_numpy(stored[name]))
        held = self.values.shape
        consistent = self.pictures.shape == held and self.places.shape == (*held, 2) and len(self.floor) == held[0]
        used = self.pictures[self.values > -torch.inf]
        if not consistent or used.numel() and not 0 <= int(used.min()) <= int(used.max()) < len(self.files):
            raise ValueError("its parts contradict each other")
