"""What a classifier is set to: checked where it is made, and in words."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from numbers import Integral
from typing import Any

import torch

from ..bounds import check_bounds
from ..errors import InterpretError, shortened
from ..geometry import CROPS, INTERPOLATIONS
from .outputs import TASKS

PRECISIONS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def cast(precision: str, device: torch.device) -> AbstractContextManager:
    """A block in which a network works in a precision."""
    kind = PRECISIONS[precision]
    # The cache of cast weights would keep the graph of the pass that filled it.
    return torch.autocast(device.type, kind, cache_enabled=False) if kind else nullcontext()


def checked_precision(name: str) -> str:
    """The name of a precision; InterpretError if there is no such precision."""
    if name not in PRECISIONS:
        raise InterpretError(f"precision is one of {', '.join(PRECISIONS)}, not {name!r}")
    return name


def checked_task(name: str | None) -> str | None:
    """The name of a task, or None for the one that the network's ending tells; InterpretError for any other."""
    if name not in (None, *TASKS):
        raise InterpretError(f"task is one of {', '.join(TASKS)}, not {name!r}")
    return name


def checked_crop(name: str, input_size: tuple[int, int] | None) -> str:
    """The name of a crop; InterpretError if there is no such crop, or none for a network of any input size."""
    if name not in CROPS:
        raise InterpretError(f"crop is one of {', '.join(CROPS)}, not {name!r}")
    if name == "tiles" and input_size is None:
        raise InterpretError("tiles have the size of the network's input, which is not known: give an input_size")
    return name


def checked_statistics(mean: Sequence[float], std: Sequence[float]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel; InterpretError where they do not fit or are no such numbers."""
    try:
        check_bounds("Classifier", {"mean": list(mean), "std": list(std)})
        mean, std = [float(value) for value in mean], [float(value) for value in std]
    except (TypeError, ValueError) as error:
        raise InterpretError("mean and std are one number a channel each, such as (0.5, 0.5, 0.5)") from error
    if len(mean) != len(std) or not mean or not min(std) > 0 or not all(map(math.isfinite, (*mean, *std))):
        raise InterpretError("mean and std need one number a channel each, finite ones, and std must be above 0")
    return mean, std


def checked_size(
    input_size: int | tuple[int, int] | None, resize: int | None, interpolation: str
) -> tuple[int, int] | None:
    """Height and width of the input, or None for any; InterpretError where the settings contradict each other."""
    if interpolation not in INTERPOLATIONS:
        raise InterpretError(f"interpolation is one of {', '.join(INTERPOLATIONS)}, not {interpolation!r}")
    input_size = checked_input_size(input_size)
    check_bounds("Classifier", {"resize": resize})
    if resize is not None and (input_size is None or resize < max(input_size)):
        raise InterpretError(f"resize ({resize}) needs an input_size of at most that, not {input_size}")
    return input_size


def checked_input_size(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Height and width of the input, of one number for a square; InterpretError for anything else but None."""
    if size is None:
        return None
    both = (size, size) if isinstance(size, Integral) else size
    if not isinstance(both, Sequence) or len(both) != 2 or not all(isinstance(side, Integral) for side in both):
        raise InterpretError(
            f"input_size is a number of pixels, or a height and a width, not {shortened(repr(size), 60)}"
        )
    check_bounds("Classifier", {"input_size": tuple(both)})
    return int(both[0]), int(both[1])


def recorded(classifier: Any) -> dict[str, Any]:
    """What happens to a picture before a classifier's network sees it, and in which arithmetic; JSON can hold it."""
    return {
        "mean": classifier.mean.flatten().tolist(),
        "std": classifier.std.flatten().tolist(),
        "input_size": classifier.input_size and list(classifier.input_size),
        "resize": classifier.resize,
        "interpolation": classifier.interpolation,
        **({} if classifier.crop == "centre" else {"crop": classifier.crop}),
        "precision": classifier.precision,
        **({} if classifier.given_task is None else {"task": classifier.given_task}),
        **({} if classifier.output is None else {"output": classifier.output}),
    }


def described(classifier: Any) -> str:
    """A classifier in three lines: its network and classes, what happens to a picture, and how it computes."""
    labels = classifier.labels
    classes = "classes without names"
    if labels:
        first, last = shortened(labels[0]), shortened(labels[len(labels) - 1])
        classes = f"{len(labels)} classes from {first} to {last}"
    mean, std = (
        ", ".join(f"{value:g}" for value in some.flatten().tolist()) for some in (classifier.mean, classifier.std)
    )
    return (
        f"Classifier of {type(classifier.network).__name__} with {classes}\n"
        f"  pictures: {_fitted(classifier)}, mean {mean}, std {std}\n"
        f"  numbers: {classifier.task} in {classifier.precision} on {classifier.mean.device}"
    )


def _fitted(classifier: Any) -> str:
    """How pictures get the size of the network's input."""
    if classifier.input_size is None:
        return "of their own size"
    height, width = classifier.input_size
    if classifier.crop == "none":
        return f"{height} x {width} of all that is there, whatever its shape ({classifier.interpolation})"
    part = "from the middle" if classifier.crop == "centre" else "in overlapping tiles of all that is there"
    shorter = "as short as it can be" if classifier.resize is None else f"{classifier.resize} pixels long"
    return f"{height} x {width} {part}, once the shorter side is {shorter} ({classifier.interpolation})"
