"""The options of `interp train` as records, and what those that were not given become."""

import inspect
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

from ...options.types import check_radius, dashed

if TYPE_CHECKING:
    from attacks.training.settings import Settings

# The network that is trained where none is named, by data set.
NETWORKS = {name: "lenet" for name in ("digits", "mnist", "fashion-mnist")}
NETWORKS |= {name: "preact_resnet18" for name in ("cifar10", "cifar100")}
RADII = {"mnist": 0.3, "digits": 0.1, "fashion-mnist": 0.1}
SMALL = ("linear", "mlp", "lenet", "cnn")
RATES = {"adam": 0.005, "adamw": 0.005, "rmsprop": 0.001, "sgd": 0.1, "momentum": 0.1, "nesterov": 0.1}


@dataclass(frozen=True)
class DataOptions:
    """The pictures to train on."""

    data: str
    size: int | tuple[int, int] | None
    root: str | None
    validation: float
    augment: bool | None


@dataclass(frozen=True)
class RunOptions:
    """What is trained how, and where it is kept."""

    defense: str
    network: str | None
    source: str | None
    output: str | None
    resume: bool


@dataclass(frozen=True)
class DefenseOptions:
    """The attack that a defense trains on."""

    eps: float | None
    steps: int | None
    step_size: float | None
    beta: float | None
    replays: int | None
    warm_up: float | None
    attack_in: str
    weight_perturbation: float


@dataclass(frozen=True)
class StepOptions:
    """The steps of the optimiser."""

    epochs: int
    batch_size: int
    optimizer: str | None
    learning_rate: float | None
    schedule: str
    weight_decay: float | None
    average: float
    guard: bool
    patience: int | None
    seed: int


@dataclass(frozen=True)
class MachineOptions:
    """In which arithmetic, and where."""

    precision: str
    channels_last: bool
    compiled: bool
    device: str
    threads: int | None


@dataclass(frozen=True)
class MeasureOptions:
    """How well the result holds, and how it is told."""

    autoattack: bool
    restarts: int
    limit: int | None
    log: str | None
    as_json: bool


@dataclass(frozen=True)
class TrainOptions:
    """All options of one run."""

    pictures: DataOptions
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
        """What the loop is asked to do; what was not given depends on the data, the network and the defense.

        Raises:
            InterpretError: options that contradict each other.
        """
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

        own = ("steps", "step_size", "beta", "replays")
        known = inspect.signature(defense_named(self.run.defense)).parameters
        given = {name: value for name in own if (value := getattr(self.defense, name)) is not None}
        for name in given:
            if name not in known:
                have = ", ".join(f"--{dashed(other)}" for other in own if other in known) or "none"
                raise InterpretError(f"{self.run.defense} has no --{dashed(name)}; the options of its own are {have}")
        return given


def _or(given: float | None, default: float) -> float:
    return default if given is None else given
