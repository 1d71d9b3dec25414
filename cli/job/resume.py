"""How a run over a folder resumes: a result that stands is skipped where it was made in the same way."""

import json
from pathlib import Path
from typing import Any

from interpret.errors import PictureError

# What may differ between two results that are the same: names of files and networks, which other files may bear
# too, the versions of the software, and what came of it.
FREE = ("picture", "model", "weights", "versions", "verdict")
# How results differ, in words.
DIFFERENCES = {
    "weights_hash": "with other weights",
    "picture_hash": "from another picture",
    "preprocessing": "with another preprocessing",
    "options": "with other options",
}


def made_before(path: Path, about: dict[str, Any]) -> dict[str, Any] | None:
    """The record of the result in a file, if made as ``about`` says; None if the file does not say how it was made.

    Raises:
        PictureError: where it was made otherwise.
    """
    before = stored_provenance(path)
    if before is None:
        return None
    if differing := _differences(before, about):
        how = DIFFERENCES.get(differing[0], f"with another {differing[0]}")
        raise PictureError(f"{path} was made {how} and is left alone; write elsewhere with -o")
    return before


def is_result(path: Path) -> bool:
    """Whether a picture file says that a command made it; its head alone is read."""
    from PIL import Image

    if path.suffix.lower() != ".png":
        return False
    try:
        with Image.open(path) as picture:
            return "interp" in picture.info
    except Exception:  # it is damaged, which is told when it is read
        return False


def stored_provenance(path: Path) -> dict[str, Any] | None:
    """What an earlier run stored in a PNG or npz about how it was made; None where it says nothing."""
    import numpy as np
    from PIL import Image

    try:
        if path.suffix.lower() == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return json.loads(str(arrays["about"]))
        with Image.open(path) as picture:
            return json.loads(picture.text["interp"])  # only PNG files have .text
    except (OSError, AttributeError, KeyError, ValueError):
        return None


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The names of what differs between the records of two results, apart from what may."""
    now = json.loads(json.dumps(now))  # as it would be read back
    return [name for name, value in now.items() if name not in FREE and before.get(name) != value]
