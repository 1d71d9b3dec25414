"""The options of `interp train` as records, and what those that were not given become."""

import inspect
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from attacks.training import DEFENSES
from interpret.bounds import ABOVE_0, BELOW_1
from interpret.datasets import DATASETS
from interpret.errors import InterpretError

from ...options.network import device_option, precision_option, threads_option
from ...options.numbers import AT_LEAST_ZERO, Number
from ...options.output import json_option
from ...options.pictures import seed_option
from ...options.radius import Radius, check_radius
from ...options.record import argument, option
from ...options.safety import NetworkName, Written, WrittenFolder
from ...options.types import COUNT, Size, dashed

if TYPE_CHECKING:
    from attacks.training.settings import Settings

# The network that is trained where none is named, by data set.
NETWORKS = {name: "lenet" for name in ("digits", "mnist", "fashion-mnist")}
NETWORKS |= {name: "preact_resnet18" for name in ("cifar10", "cifar100")}
RADII = {"mnist": 0.3, "digits": 0.1, "fashion-mnist": 0.1}
SMALL = ("linear", "mlp", "lenet", "cnn")
RATES = {"adam": 0.005, "adamw": 0.005, "rmsprop": 0.001, "sgd": 0.1, "momentum": 0.1, "nesterov": 0.1}

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
SCHEDULES = ("cyclic", "multistep", "cosine", "constant")


def _complete_data(ctx: click.Context, parameter: click.Parameter, start: str) -> list:
    """The data sets, and files and folders."""
    from click.shell_completion import CompletionItem

    named = [CompletionItem(name) for name in DATASETS if name.startswith(start)]
    return [*named, CompletionItem(start, type="file")]


ABOVE_ZERO = Number(ABOVE_0)


@dataclass(frozen=True)
class TrainingData:
    """The pictures to train on."""

    data: str = argument(metavar="DATA", shell_complete=_complete_data)
    size: int | tuple[int, int] | None = option(
        "Resize the pictures, 32 or 32x48; by default as they are, or as --from.", type=Size(), metavar="SIDE|HxW"
    )
    root: str | None = option("The folder of MNIST and CIFAR; by default $INTERP_DATA.", type=Written())
    validation: float = option(
        "The share of the training pictures that is set aside to find the best epoch with.",
        default=0.1,
        type=Number(ABOVE_0, BELOW_1),
    )
    augment: bool | None = option("Shift and mirror the pictures; by default if they are in colour.")


@dataclass(frozen=True)
class RunOptions:
    """What is trained how, and where it is kept."""

    defense: str = option("What the network is trained against.", default="fast", type=click.Choice(DEFENSES))
    network: str | None = option(
        "The network, with fresh weights: linear, mlp, lenet, cnn, preact_resnet18, torchvision's, or timm:NAME. By "
        "default lenet for digits and the MNISTs, preact_resnet18 for CIFAR, and else cnn.",
        type=NetworkName(),
        metavar="NAME",
    )
    source: str | None = option(
        "Go on from trained weights instead: those of a network by its name, or a file that this command wrote.",
        "--from",
        type=NetworkName(),
        metavar="NAME|FILE",
    )
    output: str | None = option(
        "The folder it goes to; by default DATA-DEFENSE.", "-o", "--output", type=WrittenFolder(file_okay=False)
    )
    resume: bool = option("Go on with the run that the folder holds.")


@dataclass(frozen=True)
class DefenseOptions:
    """The attack that a defense trains on."""

    eps: float | None = option(
        "The largest change of a value that it is to withstand; by default 0.3 for mnist, 0.1 for digits and "
        "fashion-mnist, and else 8/255.",
        type=Radius(),
    )
    steps: int | None = option("How many steps the attack of pgd, trades and mart takes; by default 10.", type=COUNT)
    step_size: float | None = option(
        "The attack's step, as a share of eps; by default 1.25 for fast, 1 for fgsm, nfgsm, free, else 2.5 / steps.",
        type=ABOVE_ZERO,
    )
    beta: float | None = option(
        "How much trades (by default 6) and mart (by default 5) want the same answer under attack.", type=AT_LEAST_ZERO
    )
    replays: int | None = option("How often --defense free takes each batch; by default 8.", type=COUNT)
    noise: float | None = option(
        "How far the noise of nfgsm reaches, as a share of eps; by default 2.", type=AT_LEAST_ZERO
    )
    warm_up: float | None = option(
        "Let eps grow over so many epochs; by default over a fifth of all.", type=AT_LEAST_ZERO, metavar="EPOCHS"
    )
    attack_in: Literal["eval", "train"] = option("The mode of the network while it is attacked.", default="eval")
    weight_perturbation: float = option(
        "Move the weights too, adversarially, by this share of each layer; the paper's is 0.005.",
        default=0.0,
        type=AT_LEAST_ZERO,
    )


@dataclass(frozen=True)
class StepOptions:
    """The steps of the optimiser."""

    epochs: int = option("How often all pictures are gone through, at most.", default=30, type=COUNT)
    batch_size: int = option("How many pictures a step takes, in all processes together.", default=128, type=Number(2))
    optimizer: str | None = option(
        "What takes the steps; by default adam for linear to cnn, and else momentum.", type=click.Choice(OPTIMIZERS)
    )
    learning_rate: float | None = option(
        "How far a step goes at most; by default 0.005 for adam and adamw, 0.001 for rmsprop, 0.1 for the others, "
        "and with --from a tenth of that.",
        type=ABOVE_ZERO,
    )
    schedule: str = option("How the learning rate changes.", default="cyclic", type=click.Choice(SCHEDULES))
    weight_decay: float | None = option(
        "How fast weights decay; by default 0.0005 for preact_resnet18 and larger, else 0.", type=AT_LEAST_ZERO
    )
    label_smoothing: float = option(
        "Spread this share of a label's weight over all classes.",
        default=0.0,
        type=Number(0.0, BELOW_1),
        metavar="SHARE",
    )
    balanced: bool = option("Draw every class as often as any other, where a folder holds more of some.")
    average: float = option(
        "Keep the exponential average of the weights, such as 0.995.",
        default=0.0,
        type=Number(0.0, BELOW_1),
        metavar="DECAY",
    )
    guard: bool = option(
        "Where it overfits to the attack, or collapses, go back to the last good epoch with a smaller step.",
        default=True,
    )
    patience: int | None = option("End after so many that bring nothing better.", type=COUNT, metavar="EPOCHS")
    seed: int = seed_option()


@dataclass(frozen=True)
class MachineOptions:
    """In which arithmetic, and where."""

    precision: str = precision_option(
        "The numbers that training computes with; fp16 pays on a GPU alone. The table at the end is made in float32."
    )
    channels_last: bool = option("Keep pictures and weights with their channels last in memory, which is often faster.")
    compiled: bool = option("Compile the network with torch.compile.", "--compile")
    device: str = device_option()
    threads: int | None = threads_option()


@dataclass(frozen=True)
class MeasureOptions:
    """How well the result holds, and how it is told."""

    autoattack: bool = option("Add AutoAttack to the table, which takes long.")
    restarts: int = option("How often PGD-50 starts anew for the table at the end.", default=3, type=COUNT)
    limit: int | None = option("Fill the table from so many pictures at random; by default from all.", type=COUNT)
    log: Literal["tensorboard"] | None = option("Also log every epoch for TensorBoard, with some pictures.")
    as_json: bool = json_option()


@dataclass(frozen=True)
class TrainOptions:
    """All options of one run."""

    pictures: TrainingData
    run: RunOptions
    defense: DefenseOptions
    steps: StepOptions
    machine: MachineOptions
    measure: MeasureOptions

    @property
    def folder(self) -> Path:
        """Where the run is kept."""
        return Path(self.run.output or f"{Path(self.pictures.data).stem}-{self.run.defense}")

    @property
    def network(self) -> str:
        """The network with fresh weights that is trained where no trained one is."""
        return self.run.network or NETWORKS.get(self.pictures.data, "cnn")

    def settings(self) -> "Settings":
        """The settings of the loop; those not given depend on the data, the network and the defense."""
        from attacks.training.settings import Settings

        run, defense, steps, tuned = self.run, self.defense, self.steps, self.run.source is not None
        if tuned and run.network:
            raise InterpretError("give --network, with fresh weights, or --from, with trained ones")
        eps = _or(defense.eps, RADII.get(self.pictures.data, 8 / 255))
        check_radius(eps)
        small = not tuned and self.network in SMALL
        optimizer = steps.optimizer or ("adam" if small else "momentum")
        chosen = asdict(steps) | {
            "optimizer": optimizer,
            "learning_rate": _or(steps.learning_rate, RATES[optimizer] / (10 if tuned else 1)),
            "weight_decay": _or(steps.weight_decay, 0.0 if small else 5e-4),
        }
        return Settings(
            **chosen,
            defense=run.defense,
            options=self._defense_options(),
            eps=eps,
            warm_up=_or(defense.warm_up, 0.0 if run.defense == "none" else steps.epochs / 5),
            attack_in=defense.attack_in,
            weight_perturbation=defense.weight_perturbation,
            precision=self.machine.precision,
        )

    def _defense_options(self) -> dict[str, Any]:
        """The options that were given and that the defense has; an error where it has not."""
        from attacks.training.defenses import defense_named

        own = ("steps", "step_size", "beta", "replays", "noise")
        known = inspect.signature(defense_named(self.run.defense)).parameters
        given = {name: value for name in own if (value := getattr(self.defense, name)) is not None}
        for name in given:
            if name not in known:
                have = ", ".join(f"--{dashed(other)}" for other in own if other in known) or "none"
                raise InterpretError(f"{self.run.defense} has no --{dashed(name)}; the options of its own are {have}")
        return given


def _or(given: float | None, default: float) -> float:
    return default if given is None else given
