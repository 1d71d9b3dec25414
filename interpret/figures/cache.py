"""Raw maps kept in a folder, so that drawing a figure again takes no pass through a network."""

import hashlib
import io
import json
import logging
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import PictureError
from ..images.files import write_bytes

MAX_BYTES = 2 * 1024**3  # beyond them, the files that were not used for the longest time are deleted
MEMBERS = {"values.npy", "key.npy"}
_log = logging.getLogger(__name__)


def user_folder() -> Path:
    """The default folder of maps: ``interp/maps`` in the user's folder for caches."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "interp" / "maps"


class MapStore:
    """Tensors by what they were made from, one .npz file each.

    Args:
        folder: made when it is first written to; None keeps nothing.
    """

    def __init__(self, folder: str | os.PathLike | None) -> None:
        self.folder = None if folder is None else Path(folder)

    def get(self, key: Mapping[str, Any], make: Callable[[], Tensor]) -> Tensor:
        """The tensor, on the CPU and without a graph, that is kept under a key, or else the one to be made and kept.

        The key is everything that the tensor depends on, as plain data; a key that JSON cannot hold is never kept.
        """
        if self.folder is None:
            return make().detach().cpu()
        try:
            text = json.dumps(key, sort_keys=True)
        except TypeError:  # an option that is no plain data, such as a baseline that is a tensor
            return make().detach().cpu()
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"
        values = _read(path, text)
        if values is None:
            values = make().detach().cpu()
            self._write(path, text, values)
        return values

    def _write(self, path: Path, text: str, values: Tensor) -> None:
        content = io.BytesIO()
        np.savez(content, values=values.numpy(), key=np.array(text))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bytes(path, content.getvalue())
            self._make_room()
        except (PictureError, OSError) as error:
            _log.warning("maps cannot be kept in %s (%s): they are made anew each time", self.folder, error)
            self.folder = None

    def _make_room(self) -> None:
        files = sorted(((file.stat(), file) for file in self.folder.glob("*.npz")), key=lambda pair: -pair[0].st_mtime)
        total = 0
        for about, file in files:
            total += about.st_size
            if total > MAX_BYTES and _is_own(file):
                file.unlink(missing_ok=True)


def _is_own(path: Path) -> bool:
    """Whether a file is one of a store's: by its name and by what it holds, since others may lie in the folder too."""
    try:
        with zipfile.ZipFile(path) as archive:
            return re.fullmatch(r"[0-9a-f]{32}\.npz", path.name) is not None and set(archive.namelist()) == MEMBERS
    except (OSError, zipfile.BadZipFile):
        return False


def _read(path: Path, text: str) -> Tensor | None:
    """The values in a file, or None where there is no such file, it is damaged, or it belongs to another key."""
    try:
        # From memory, since NumPy leaves a damaged file open.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            if str(arrays["key"]) != text:
                return None
            values = torch.from_numpy(arrays["values"])
    except Exception:  # what a damaged file raises depends on where the damage is; it is made again
        return None
    try:
        os.utime(path)  # it was used just now
    except OSError:
        pass  # the folder may be read but not written
    return values
