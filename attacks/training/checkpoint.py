"""Files from which a run goes on exactly, and which a network is loaded from."""

import os
import pickle
import secrets
from pathlib import Path
from typing import Any

import torch

from ..errors import AttackError


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint beside its place, then move it there: a killed run leaves no half file.

    Raises:
        AttackError: it cannot be written.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(content, temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise AttackError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> dict[str, Any]:
    """Read a checkpoint of a run.

    Returns:
        Its content.

    Raises:
        AttackError: it does not exist, is damaged, or is none of ours.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise AttackError(f"there is no {path} to go on from; leave out --resume to begin") from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise AttackError(f"{path} is damaged or no checkpoint of a training run; it is left as it is") from error
    if not isinstance(content, dict) or "training" not in content:
        raise AttackError(f"{path} is no checkpoint of a training run; it is left as it is")
    return content


def random_states(generator: torch.Generator) -> dict[str, Any]:
    """Where the random generators stand, as tensors."""
    states = {"generator": generator.get_state(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random(states: dict[str, Any], generator: torch.Generator) -> None:
    """Put the random generators back to where they stood."""
    generator.set_state(states["generator"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
