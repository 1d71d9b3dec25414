"""What `interp train` starts from: pictures to train on and to judge by, and a network with its preprocessing."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, NetworkError

from .choices import TrainingData, TrainOptions

if TYPE_CHECKING:
    from torch import nn

    from interpret.classifier import Classifier
    from interpret.datasets.dataset import Dataset
    from interpret.models.saved import Recipe


@dataclass(frozen=True)
class Pictures:
    """The parts of a data set; not every one has pictures to test on."""

    fitting: "Dataset"
    validation: "Dataset"
    test: "Dataset | None"


@dataclass(frozen=True)
class Start:
    """A network before it is trained, and how to build and use it."""

    network: "nn.Module"
    recipe: "Recipe"


def open_pictures(options: TrainOptions, trained: "Classifier | None") -> Pictures:
    """The pictures that the options mean; by default they have the input size of the network to be trained further."""
    from interpret.datasets.dataset import split

    known, test = _opened_in_turn(options.pictures, trained)
    parts = Pictures(*split(known, options.pictures.validation, options.steps.seed), test)
    if options.machine.channels_last:
        return Pictures(*(part and _channels_last(part) for part in (parts.fitting, parts.validation, parts.test)))
    return parts


def _opened_in_turn(options: TrainingData, trained: "Classifier | None") -> "tuple[Dataset, Dataset | None]":
    """All pictures to train on, and those to test on; the first process downloads them before the others look."""
    from attacks import distributed
    from interpret.datasets.named import has_test, open_dataset

    size = trained.input_size if options.size is None and trained is not None else options.size
    where = {"size": (size, size) if isinstance(size, int) else size, "root": options.root}
    for turn in range(2):
        if turn == min(distributed.rank(), 1):
            known = open_dataset(options.data, train=True, **where)
            test = open_dataset(options.data, train=False, **where) if has_test(options.data) else None
        distributed.gathered(None)
    return known, test


def _channels_last(data: "Dataset") -> "Dataset":
    import torch

    return replace(data, pixels=lambda indices: data.pixels(indices).contiguous(memory_format=torch.channels_last))


def start_of(options: TrainOptions, data: "Dataset", trained: "Classifier | None") -> Start:
    """The network that the options mean; fresh weights are drawn from the seed."""
    import torch

    from interpret.datasets.dataset import mean_and_std
    from interpret.models.architectures import build
    from interpret.models.saved import Recipe

    torch.manual_seed(options.steps.seed)
    channels, *size = data.shape
    shared = {"classes": len(data.names), "size": size, "labels": data.names, "input_size": size}
    if trained is not None:
        return _tuned(options.run.source, trained, data, shared)
    network = build(options.network, classes=len(data.names), channels=channels, size=tuple(size))
    mean, std = mean_and_std(data)
    return Start(network, Recipe(network=options.network, channels=channels, mean=mean, std=std, **shared))


def _tuned(source: str, trained: "Classifier", data: "Dataset", shared: dict[str, Any]) -> Start:
    """A network that has been trained already, with its own preprocessing and, for other classes, a fresh head."""
    import torch

    from interpret.models.replace_layers import adapted
    from interpret.models.saved import Recipe, is_trained, read_trained

    if ":" in source and not source.startswith("timm:"):
        raise InterpretError(f"--from takes a network's name or a file that `interp train` wrote, not code: {source}")
    name = read_trained(source)[0].network if is_trained(source) else source
    channels = len(trained.mean)
    if data.shape[0] > channels:
        raise NetworkError(f"{source} takes grey pictures, and these are in colour")
    same = tuple(trained.labels or ()) == data.names
    network = trained.network if same else adapted(trained.network, len(data.names))
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, channels, *data.shape[1:]))
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:  # each network has its own way
        raise NetworkError(
            f"{source} cannot take pictures of {data.shape[2]} x {data.shape[1]} pixels; give another --size "
            f"({' '.join(str(error).split())[:200]})"
        ) from error
    mean, std = (values.flatten().tolist() for values in (trained.mean, trained.std))
    return Start(network.requires_grad_(True), Recipe(network=name, channels=channels, mean=mean, std=std, **shared))
