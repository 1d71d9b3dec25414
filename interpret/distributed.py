"""Several processes that share one piece of work; one process is the case of a world of one."""

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist

from .errors import InterpretError

PATIENCE = datetime.timedelta(minutes=5)  # after which a silent process counts as dead


def launched() -> bool:
    """Whether ``torchrun`` has started several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def join(patience: datetime.timedelta = PATIENCE) -> None:
    """Meet the other processes that ``torchrun`` has started, if it has.

    Args:
        patience: how long a process may be silent before it counts as dead. One that ends is noticed at
            once; where shares take differently long, this is how much later than the first the last may be.
    """
    if launched() and not dist.is_initialized():
        # Gloo too, for what lies on the CPU.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=patience)


def leave() -> None:
    """Part from the others."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """The number of this process."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def world() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def own(items: Any) -> Any:
    """This process's share of items, which may be sliced."""
    return items[rank() :: world()]


def anywhere(here: bool) -> bool:
    """Whether something is so in one process at least; they all get the same answer."""
    return any(gathered(here))


def gathered(thing: object) -> list:
    """The thing of every process, in order, for each of them; so none goes on before all have come here.

    Raises:
        InterpretError: one of them has ended, or is silent for longer than the patience.
    """
    if world() == 1:
        return [thing]
    everybody: list = [None] * world()
    with _all_alive():
        dist.all_gather_object(everybody, thing)
    return everybody


@contextmanager
def _all_alive() -> Iterator[None]:
    """One sentence where the others do not answer."""
    try:
        yield
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InterpretError(
            f"a process of the run has failed, and the others cannot go on; --resume or --no-clobber does ({reason})"
        ) from error
