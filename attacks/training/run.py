"""A training run: everything that changes while it goes on."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .. import distributed
from ..errors import AttackError
from .precision import in_precision, with_scaled_gradients
from .schedules import OPTIMIZERS
from .settings import Settings

# Plain numbers that a checkpoint keeps.
COUNTERS = ("epoch", "batch", "scale", "ramp", "proven", "cautious", "loss_sum", "seen")


class Run:
    """A network in training, and what a checkpoint keeps of it."""

    def __init__(
        self,
        network: nn.Module,
        settings: Settings,
        *,
        mean: Tensor,
        std: Tensor,
        classes: int,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    ) -> None:
        self.network, self.settings, self.classes, self.augment = network, settings, classes, augment
        self.device = next(network.parameters()).device
        distributed.broadcast(network)
        self.mean, self.std = mean.to(self.device), std.to(self.device)
        make = OPTIMIZERS[settings.optimizer]
        self.optimizer = make(network.parameters(), settings.learning_rate, settings.weight_decay)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=settings.precision == "fp16")
        self.generator = torch.Generator().manual_seed(settings.seed * 1009 + distributed.rank())
        self.average = copy.deepcopy(network.state_dict()) if settings.average else None
        self.epoch = self.batch = 0
        self.scale = 1.0  # of the learning rate; smaller after each rollback
        self.ramp = (0.0, settings.warm_up)  # the epoch in which eps begins to grow, and for how many it does
        self.proven = False  # whether `good` is a network that is robust, not the fresh one
        self.cautious = False  # whether the run was rolled back
        self.loss_sum = self.seen = 0.0
        self.memory: dict[str, Tensor] = {}
        self.history: list[dict[str, Any]] = []
        self.good = self.snapshot()

    def model(self, images: Tensor) -> Tensor:
        """Logits (n, C) of images (n, ...) in [0, 1]."""
        with in_precision(self.settings.precision, self.device):
            return self.network((images - self.mean) / self.std).float()

    def attacked(self, images: Tensor) -> Tensor:
        """The same, with gradients of the images that are not lost in low precision; those of weights are not right."""
        return with_scaled_gradients(self.model, images) if self.settings.precision == "fp16" else self.model(images)

    def evaluated(self, images: Tensor) -> Tensor:
        """The same of the network in evaluation mode; its mode is left as it was."""
        modes = [(module, module.training) for module in self.network.modules()]
        self.network.eval()
        try:
            return self.attacked(images)
        finally:
            for module, training in modes:
                module.training = training

    def snapshot(self) -> dict[str, Any]:
        """A copy of what an epoch may spoil."""
        return copy.deepcopy(
            {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average,
                "memory": self.memory,
            }
        )

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot."""
        snapshot = copy.deepcopy(snapshot)
        self.network.load_state_dict(snapshot["network"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        # A checkpoint is read onto the CPU.
        average, memory = snapshot["average"], snapshot["memory"]
        self.average = average and {name: value.to(self.device) for name, value in average.items()}
        self.memory = {name: value.to(self.device) for name, value in memory.items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, in types that are read back without unpickling code."""
        counters = {name: getattr(self, name) for name in COUNTERS}
        random = distributed.gathered(_random_states(self.generator))
        memories = distributed.gathered({name: value.cpu() for name, value in self.memory.items()})
        return {
            "settings": self.settings.as_dict(),
            "now": self.snapshot(),
            "good": self.good,
            "history": self.history,
            "scaler": self.scaler.state_dict(),
            "random": random,
            "memories": memories,
            **counters,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from the state in a checkpoint; an error where that run was begun with other choices."""
        differs = self.settings.differing(state["settings"])
        if differs:
            raise AttackError(f"the run was begun with other {', '.join(differs)}; go on with the same, or begin anew")
        if len(state["random"]) != distributed.world():
            raise AttackError(f"the run was begun by {len(state['random'])} processes; go on with as many")
        self.restore({**state["now"], "memory": state["memories"][distributed.rank()]})
        self.good, self.history = state["good"], list(state["history"])
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])
        for name in COUNTERS:
            setattr(self, name, state[name])
        _restore_random_states(state["random"][distributed.rank()], self.generator)


def _random_states(generator: torch.Generator) -> dict[str, Tensor]:
    """The states of all random generators."""
    states = {"generator": generator.get_state(), "torch": torch.get_rng_state()}
    return states | ({"cuda": torch.cuda.get_rng_state()} if torch.cuda.is_available() else {})


def _restore_random_states(states: dict[str, Tensor], generator: torch.Generator) -> None:
    """Put all random generators back into these states."""
    generator.set_state(states["generator"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
