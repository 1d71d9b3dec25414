"""Networks that were trained here: one file with the weights and everything that is needed to use them."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..classifier import Classifier
from ..errors import InterpretError, NetworkError
from ..images.files import written_beside
from ..network.settings import checked_task
from .architectures import build
from .state_dict import State, fill

FORMAT = 1
REMEDY = "if it holds the weights of another network, name that and pass the file with --weights"


@dataclass(frozen=True)
class Recipe:
    """All that is needed to build a network again and to show it pictures, in values that JSON can hold."""

    network: str  # a name that `build` knows
    classes: int
    channels: int
    size: Sequence[int]  # height and width of the pictures that the network itself is fed
    labels: Sequence[str]  # the names of the classes, in order
    mean: Sequence[float]  # of each channel, in [0, 1]
    std: Sequence[float]
    input_size: Sequence[int] | None = None  # as the Classifier's
    resize: int | None = None
    interpolation: str = "bilinear"
    task: str | None = None  # as the Classifier's

    def __post_init__(self) -> None:
        """Refuse values that contradict each other, and make tuples of the lists that JSON gives."""
        for field in ("size", "labels", "mean", "std", "input_size"):
            if isinstance(value := getattr(self, field), Sequence) and not isinstance(value, str):
                object.__setattr__(self, field, tuple(value))
        numbers = (self.classes, self.channels, *self.size, *(self.input_size or ()))
        sound = (
            isinstance(self.network, str)
            and all(isinstance(number, int) and number > 0 for number in numbers)
            and len(self.size) == 2
            and len(self.input_size or self.size) == 2
            and all(isinstance(label, str) for label in self.labels)
            and all(isinstance(value, float | int) for value in (*self.mean, *self.std))
        )
        if not sound:
            raise InterpretError(f"a recipe holds names and numbers above 0, which these are not: {self}")
        checked_task(self.task)
        if len(self.labels) != self.classes:
            raise InterpretError(f"{len(self.labels)} labels for a network with {self.classes} classes")
        if not len(self.mean) == len(self.std) == self.channels:
            raise InterpretError(f"mean and std need {self.channels} numbers each, one a channel")

    def classifier(self, network: nn.Module) -> Classifier:
        """The network with this recipe's preprocessing and labels; it is neither frozen nor switched to evaluation."""
        return Classifier(
            network,
            mean=self.mean,
            std=self.std,
            labels=self.labels,
            input_size=self.input_size,
            resize=self.resize,
            interpolation=self.interpolation,
            task=self.task,
        )


def save_trained(path: str | os.PathLike, network: nn.Module | State, recipe: Recipe, **more: object) -> None:
    """Write a network and its recipe into one file, whole or not at all.

    Args:
        path: of the file, whose folder is made; ``load`` and ``-m`` take it if it ends in .pt or .pth.
        network: the network inside a Classifier, or its state dict; on any device.
        recipe: how to build and use it.
        more: what else to keep, for example to continue a training: tensors, numbers, strings, None, and
            lists and dicts of these.

    Raises:
        InterpretError: ``more`` holds something that could not be read back, or the file cannot be
            written.
    """
    if reason := _unreadable(more):
        raise InterpretError(f"{path} takes tensors, numbers, strings, lists and dicts alone, not {reason}")
    state = network.state_dict() if isinstance(network, nn.Module) else network
    # A view would be saved with the whole tensor that it is a part of.
    state = {name: value.detach().cpu().clone() for name, value in state.items()}
    kept = {
        name: value for name, value in asdict(recipe).items() if name != "task" or value
    }  # older versions know none
    content = {**more, "interp": FORMAT, "recipe": kept, "state": state}
    target = Path(path).resolve()  # a link stays a link
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(target) as temporary:
            torch.save(content, temporary)
    except (OSError, RuntimeError) as error:  # torch raises the latter where the disk is full
        raise InterpretError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def _unreadable(value: object) -> str | None:
    """The name of a type inside a value that `torch.load` would not read with ``weights_only``, if there is one."""
    if isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, list | tuple):
        parts = list(value)
    else:
        plain = isinstance(value, Tensor) or type(value) in (bool, int, float, str, type(None))
        return None if plain else type(value).__name__
    return next(filter(None, map(_unreadable, parts)), None)


def load_trained(path: str | os.PathLike) -> Classifier:
    """The classifier in a file of `save_trained`: network, preprocessing and labels.

    Args:
        path: of the file.

    Returns:
        The classifier on the CPU, frozen and in evaluation mode.

    Raises:
        NetworkError: no such file, or one of another kind, damaged, or of a later version.
    """
    recipe, state, _ = read_trained(path)
    name = recipe.network
    if ":" in name and not name.startswith("timm:"):  # a file must not choose which code runs
        raise NetworkError(
            f"{path} has the weights of {name}, code of your own: load that (-m {name} --weights {path})"
        )
    with torch.inference_mode(False), torch.random.fork_rng([]):
        network = build(name, classes=recipe.classes, channels=recipe.channels, size=recipe.size)
        fill(network, state, str(path))
        return recipe.classifier(network).eval().requires_grad_(False)


def read_trained(path: str | os.PathLike) -> tuple[Recipe, State, dict[str, object]]:
    """What a file of `save_trained` holds.

    Args:
        path: of the file.

    Returns:
        The recipe, the network's state dict, and what else was kept, all on the CPU.

    Raises:
        NetworkError: no such file, or one of another kind, damaged, or of a later version.
    """
    try:
        content = _content(path)
    except OSError as error:
        raise NetworkError(f"{path} cannot be read: {error.strerror or error}") from error
    if content is None:
        raise NetworkError(f"{path} is damaged, or `interp train` did not write it; {REMEDY}")
    if content["interp"] != FORMAT:
        raise NetworkError(f"{path} was written by another version of interp (format {content['interp']}); update it")
    try:
        recipe, state = Recipe(**content["recipe"]), dict(content["state"])
        if not all(isinstance(value, Tensor) for value in state.values()):
            raise TypeError("the state holds more than tensors")
    except (InterpretError, KeyError, TypeError, ValueError) as error:
        raise NetworkError(f"{path} is damaged ({error}); take an earlier checkpoint") from error
    return recipe, state, {key: value for key, value in content.items() if key not in ("interp", "recipe", "state")}


def is_trained(path: str | os.PathLike) -> bool:
    """Whether `save_trained` wrote a file, in any version.

    Args:
        path: of the file.

    Returns:
        False also where there is no such file.
    """
    try:
        return _content(path, mapped=True) is not None
    except OSError:
        return False


def _content(path: str | os.PathLike, *, mapped: bool = False) -> dict | None:
    """What a file of `save_trained` holds, and None for any other file; mapped, tensors are read when they are used."""
    with Path(path).open("rb") as file:
        if file.read(2) != b"PK":
            return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that torch.save did not write
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except OSError:
        raise
    except Exception:  # what a damaged or foreign file raises depends on where the damage is
        return None
    return content if isinstance(content, dict) and "interp" in content else None
