"""What made a result: one record for every kind."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from interpret import __version__

if TYPE_CHECKING:
    from interpret.classifier import Classifier

    from ..options.network import ModelOptions


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


def digest(classifier: "Classifier", **chosen: Any) -> str:
    """A short name for all that the rows of a table depend on: the network and the choices."""
    record = json.dumps([classifier.identity(), chosen], sort_keys=True, default=str)
    return hashlib.sha256(record.encode()).hexdigest()[:12]
