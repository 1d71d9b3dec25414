"""What made a result: one record for every kind, and one rule for what counts as the same."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret import __version__

if TYPE_CHECKING:
    from interpret.classifier import Classifier

    from ..options.network import ModelOptions

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


def provenance(command: str, model: "ModelOptions", classifier: "Classifier", **more: Any) -> dict[str, Any]:
    """What one needs to make a result again: the command, the network, and other choices as JSON can hold them."""
    import torch

    return {
        "command": command,
        "model": model.model,
        "weights": model.weights or "published",
        **classifier.identity(),
        **more,
        "versions": {"interp": __version__, "torch": torch.__version__},
    }


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The names of what differs between the records of two results, apart from what may."""
    now = json.loads(json.dumps(now))  # as it would be read back
    return [name for name, value in now.items() if name not in FREE and before.get(name) != value]


def difference_in_words(names: list[str]) -> str:
    """How a result was made otherwise, such as "with other weights"."""
    return DIFFERENCES.get(names[0], f"with another {names[0]}")


def digest(classifier: "Classifier", **chosen: Any) -> str:
    """A short name for all that the rows of a table depend on: the network and the choices."""
    record = json.dumps([classifier.identity(), chosen], sort_keys=True, default=str)
    return hashlib.sha256(record.encode()).hexdigest()[:12]


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
