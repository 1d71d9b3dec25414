"""What `interp train` starts from: pictures to train on and to judge by, and a network with its preprocessing."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, NetworkError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from interpret.classifier import Classifier
    from interpret.datasets.dataset import Data
    from interpret.models.saved import Recipe

# The network that is trained where none is named.
NETWORKS = {name: "lenet" for name in ("digits", "mnist", "fashion-mnist")}
NETWORKS |= {name: "preact_resnet18" for name in ("cifar10", "cifar100")}
CHUNK = 1000  # pictures whose mean is taken together


@dataclass(frozen=True)
class Pictures:
    """The parts of a data set; not every one has pictures to test on."""

    fitting: "Data"
    validation: "Data"
    test: "Data | None"


@dataclass(frozen=True)
class Start:
    """A network before it is trained, and how to build and use it."""

    network: "nn.Module"
    recipe: "Recipe"


def opened(settings: dict[str, Any], trained: "Classifier | None") -> Pictures:
    """The pictures that the command's options mean.

    Args:
        settings: the command's parameters.
        trained: what is trained further; its input's size is the pictures' if no other is asked for.

    Raises:
        InterpretError: they cannot be had.
    """
    from attacks import distributed
    from interpret.datasets.named import has_test, open_dataset, split

    size = settings["size"]
    if size is None and trained is not None:
        size = trained.input_size
    where = {"size": (size, size) if isinstance(size, int) else size, "root": settings["root"]}
    for turn in range(2):  # the first process downloads what has to be, before the others look
        if turn == min(distributed.rank(), 1):
            known = open_dataset(settings["data"], train=True, **where)
            test = open_dataset(settings["data"], train=False, **where) if has_test(settings["data"]) else None
        distributed.gathered(None)
    parts = Pictures(*split(known, settings["validation"], settings["seed"]), test)
    if settings["channels_last"]:
        return Pictures(*(part and _channels_last(part) for part in (parts.fitting, parts.validation, parts.test)))
    return parts


def _channels_last(data: "Data") -> "Data":
    import torch

    return replace(data, pixels=lambda indices: data.pixels(indices).contiguous(memory_format=torch.channels_last))


def started(settings: dict[str, Any], data: "Data", trained: "Classifier | None") -> Start:
    """The network that the command's options mean, drawn from the seed where its weights are fresh.

    Raises:
        InterpretError: there is none such, or it cannot take the pictures.
    """
    import torch

    from interpret.models.architectures import build
    from interpret.models.saved import Recipe

    torch.manual_seed(settings["seed"])
    channels, *size = data.shape
    shared = {"classes": len(data.names), "size": size, "labels": data.names, "input_size": size}
    if trained is not None:
        return _tuned(settings["source"], trained, data, shared)
    name = settings["network"] or NETWORKS.get(settings["data"], "cnn")
    network = build(name, classes=len(data.names), channels=channels, size=tuple(size))
    mean, std = mean_and_std(data)
    return Start(network, Recipe(network=name, channels=channels, mean=mean, std=std, **shared))


def _tuned(source: str, trained: "Classifier", data: "Data", shared: dict[str, Any]) -> Start:
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


def mean_and_std(data: "Data") -> tuple[list[float], list[float]]:
    """Those of each channel over all pictures; the deviation is a level at least."""
    import torch

    from interpret.progress import progress_bar

    sums: Tensor = torch.zeros(2, data.shape[0], dtype=torch.float64)
    with progress_bar(len(data), "mean and deviation", "picture") as bar:
        for indices in torch.arange(len(data)).split(CHUNK):
            pixels = data.batch(indices)[0].double()
            sums += torch.stack([pixels.sum((0, 2, 3)), pixels.square().sum((0, 2, 3))])
            bar.update(len(indices))
    mean, square = sums / (len(data) * data.shape[1] * data.shape[2])
    return mean.tolist(), (square - mean.square()).clamp_min(0).sqrt().clamp_min(1 / 255).tolist()
