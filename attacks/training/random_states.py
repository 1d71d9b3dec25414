"""The random generators of a run, for a checkpoint."""

from typing import Any

import torch


def random_states(generator: torch.Generator) -> dict[str, Any]:
    """The states of all random generators, as tensors."""
    states = {"generator": generator.get_state(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random_states(states: dict[str, Any], generator: torch.Generator) -> None:
    """Put all random generators back into these states."""
    generator.set_state(states["generator"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
