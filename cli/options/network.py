"""The network of a command: which one, its weights, its preprocessing, and where it runs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from interpret.errors import InterpretError
from interpret.plug_ins import plug_ins

from ..memory import keep_freed_memory
from ..own_code import TOGETHER, code_from_here, networks_in, runs_code
from .numbers import Number
from .record import option
from .safety import NetworkName, Weights
from .types import NUMBERS, Size

if TYPE_CHECKING:
    from interpret.classifier import Classifier


NO_TILES = "this command needs a picture in one piece, and --crop tiles cuts it up"


def _complete_networks(ctx: click.Context, parameter: click.Parameter, start: str) -> list[str]:
    """Those that are at hand; naming torchvision's would mean importing it at every key press."""
    known = ("efficientnet_lite0", "squeezenet1_1", *plug_ins("interp.networks"))
    return [name for name in known if name.startswith(start)]


def device_option() -> Any:
    """Where a network runs."""
    return option(
        "Where the network runs; auto takes a GPU where there is one.",
        default="auto",
        type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    )


def threads_option() -> Any:
    """How many threads a network has on the CPU."""
    return option("How many threads the network has on the CPU; by default one for each core.", type=Number(1, 1024))


def precision_option(help: str) -> Any:
    """The arithmetic of a network."""
    return option(help, default="float32", type=click.Choice(["float32", "bf16", "fp16"]))


def fold_option() -> Any:
    """Whether the network is folded before it is used."""
    return option("Fold batch normalisation into the convolutions, which is faster and gives the same up to rounding.")


class _Joined(click.Option):
    """An option that may be repeated, whose values become one text with ``TOGETHER`` between them."""

    def __init__(self, *words: Any, default: str, **more: Any) -> None:
        super().__init__(*words, multiple=True, default=(default,), **more)

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        return TOGETHER.join(super().type_cast_value(ctx, [value] if isinstance(value, str) else value))


@dataclass(frozen=True)
class ModelOptions:
    """A network as the options of the shell describe it."""

    model: str = option(
        "The network: a name that `interp models` lists, timm:NAME, a file that `interp train` wrote, "
        "package.module:function; or what is shown a PNG and answers with a class or scores as JSON: "
        "command:./classify or http://localhost:8000. Given several times, it is the mean of their logits.",
        "-m",
        "--model",
        cls=_Joined,
        default="efficientnet_lite0",
        type=NetworkName(),
        metavar="NAME",
        shell_complete=_complete_networks,
    )
    weights: str | None = option(
        "The network's weights: a .pth, .pt or .safetensors file, or random; by default those published with it.",
        type=Weights(),
        metavar="FILE|random",
    )
    labels: str | None = option(
        "A file with the names of its classes, one a line or JSON; by default those that it was trained on.",
        type=click.Path(),
        metavar="FILE",
    )
    mean: list[float] | None = option(
        "What is subtracted from each channel, in [0, 1], such as 0.5,0.5,0.5; by default the network's own.",
        type=NUMBERS,
    )
    std: list[float] | None = option(
        "What each channel is divided by then, such as 0.25,0.25,0.25; by default the network's own.", type=NUMBERS
    )
    input_size: int | tuple[int, int] | None = option(
        "Height and width of its input in pixels, such as 224 or 224x320; by default the network's own.",
        type=Size(),
        metavar="SIDE|HxW",
    )
    crop: Literal["centre", "none", "tiles"] | None = option(
        "What it sees of a picture that has another shape than its input: the centre, which is the default; with "
        "none all of it, squeezed into that shape; with tiles all of it, in overlapping parts whose outputs are "
        "averaged and whose maps are laid together."
    )
    device: str = device_option()
    precision: str = precision_option(
        "The numbers that the network computes with: bf16 and, on a GPU, fp16 are less exact, and faster on "
        "hardware made for them."
    )
    threads: int | None = threads_option()
    task: Literal["classification", "multilabel", "regression"] | None = option(
        "What its outputs mean: one class of several, labels of which each holds or not, or numbers in a unit of their "
        "own; by default one of the first two, as the network's last operation tells."
    )
    output_key: str | None = option(
        "Which part of what it returns holds the logits: a key, an attribute or a position, where that is not clear.",
        metavar="KEY",
    )

    def open(self, *, fold: bool = False, tiles: bool = False) -> "Classifier":
        """The classifier, on its device; its batch normalisation may be folded into the convolutions.

        ``tiles`` says that the command looks at pictures in a way in which they may be seen in tiles.
        """
        if self.crop == "tiles" and not tiles:
            raise InterpretError(f"{NO_TILES}; give --crop none or centre")
        import torch

        from interpret.models.load import load

        keep_freed_memory()
        if self.threads:
            torch.set_num_threads(self.threads)
        device = device_named(self.device)
        elsewhere = ("model", "device", "threads", "output_key")
        given = {known.name: getattr(self, known.name) for known in fields(self) if known.name not in elsewhere}
        names = networks_in(self.model)
        with code_from_here(self.model):
            classifier = load(names if len(names) > 1 else self.model, output=self.output_key, **given).to(device)
        if fold:
            from interpret.models.fold_batchnorm import folded

            return folded(classifier)
        return classifier

    def check_name(self) -> None:
        """Refuse a name that no network has; what is a file or code is found out when it is opened."""
        from interpret.bundled import TRAINED
        from interpret.models.registry import named_network

        for name in networks_in(self.model):
            if name not in TRAINED and not runs_code(name) and not Path(name).exists():
                named_network(name)

    def check_classes(self, *queries: str | None) -> None:
        """Refuse names that no class has, where the labels are known without the network, which takes long to load."""
        from interpret.bundled import TRAINED
        from interpret.labels.label_files import read_labels
        from interpret.labels.names import imagenet

        if self.weights not in (None, "random") and not Path(self.weights).is_file():
            from interpret.models.state_dict import read_weights

            read_weights(self.weights)  # says what is wrong
        labels = read_labels(self.labels) if self.labels else None
        published = not any(":" in name or name in TRAINED or Path(name).exists() for name in networks_in(self.model))
        if labels is None and published and self.weights is None:
            labels = imagenet()
        for query in queries if labels is not None else ():
            if query:
                labels.find(query)

    def open_to_look(self) -> "Classifier":
        """The classifier for a command whose answer does not depend on the preprocessing: a bare network has none."""
        from interpret.models.load import BareNetworkError

        try:
            return self.open()
        except BareNetworkError:
            return replace(self, mean=[0.0] * 3, std=[1.0] * 3).open()

    def named(self, name: str) -> "ModelOptions":
        """The same options for another network."""
        return replace(self, model=name)

    def beside(self, name: str) -> "ModelOptions":
        """Another network on the same device, with its own weights and preprocessing."""
        same = {"device": self.device, "threads": self.threads, "precision": self.precision, "crop": self.crop}
        return ModelOptions(model=name, **same)


def device_named(name: str) -> str:
    """The device that --device means; an error where there is none such."""
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise InterpretError(f"there is no {name} device here; `interp doctor` tells what there is")
    return name


def network_name(name: str, names: Sequence[str]) -> str:
    """A network's name, or that of its file, with the folder where another file has the same name."""
    if not Path(name).is_file():
        return name
    same = [other for other in names if Path(other).stem == Path(name).stem]
    return Path(name).stem if len(same) == 1 else str(Path(name).with_suffix(""))
