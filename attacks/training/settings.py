"""The choices of a training run; a checkpoint keeps them, so that a run goes on as it began."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import AttackError
from . import DEFENSES
from .precision import PRECISIONS
from .schedules import OPTIMIZERS, SCHEDULES


@dataclass(frozen=True)
class Settings:
    """The choices of a run; radii and steps refer to pixels in [0, 1]."""

    defense: str = "fast"
    options: dict[str, Any] = field(default_factory=dict)  # of the defense
    eps: float = 8 / 255
    epochs: int = 30
    batch_size: int = 128
    optimizer: str = "adam"
    learning_rate: float = 5e-3
    schedule: str = "cyclic"
    weight_decay: float = 0.0
    warm_up: float = 0.0  # epochs over which eps grows from nothing
    weight_perturbation: float = 0.0  # of adversarial weight perturbation, relative to each layer
    label_smoothing: float = 0.0  # share of a label's weight that is spread over all classes
    balanced: bool = False  # whether every class is drawn as often as any other
    average: float = 0.0  # decay of the exponential average of the weights; 0 for no average
    attack_in: str = "eval"  # the mode of the network while it is attacked: "eval" or "train"
    guard: bool = True  # whether to roll back when the network overfits to the attack or collapses
    patience: int | None = None  # epochs without a better validation after which the run ends
    precision: str = "float32"  # or "bf16" or "fp16", of the passes
    seed: int = 0

    def __post_init__(self) -> None:
        known = {"defense": DEFENSES, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
        known |= {"attack_in": ("eval", "train"), "precision": PRECISIONS}
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise AttackError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}")
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise AttackError(f"{name} is 1 or more, not {getattr(self, name)}")
        for name in ("eps", "learning_rate", "weight_decay", "warm_up", "weight_perturbation"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise AttackError(f"{name} is 0 or more, not {getattr(self, name)}")
        if not 0 <= self.label_smoothing < 1:
            raise AttackError(f"label_smoothing is a share below 1, not {self.label_smoothing}")
        if not 0 <= self.average < 1:
            raise AttackError(f"average is a decay below 1, not {self.average}")

    def as_dict(self) -> dict[str, Any]:
        """The choices, by name."""
        return asdict(self)

    def differing(self, other: dict[str, Any]) -> list[str]:
        """The names of the choices in which another run differs; one that it did not know yet was the default."""
        default = Settings().as_dict()
        mine = self.as_dict()
        return [name for name in mine if mine[name] != other.get(name, default[name])]
