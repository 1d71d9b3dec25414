"""Several processes that share one piece of work; one process is the case of a world of one."""

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from .errors import AttackError

PATIENCE = datetime.timedelta(minutes=5)  # after which a silent process counts as dead


def join(patience: datetime.timedelta = PATIENCE) -> None:
    """Meet the other processes that ``torchrun`` has started.

    Args:
        patience: how long a process may be silent before it counts as dead. One that ends is noticed at
            once; where shares take differently long, this is how much later than the first the last may be.
    """
    if not dist.is_initialized():
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


def summed(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by their sums over all processes, in one message."""
    tensors = list(tensors)
    if world() == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    with _all_alive():
        dist.all_reduce(flat)
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def averaged(tensors: Iterable[Tensor]) -> None:
    """Make the processes agree on what is no parameter, such as running means, which saw different pictures."""
    tensors = [tensor for tensor in tensors if tensor.is_floating_point()]
    summed(tensors)
    for tensor in tensors:
        tensor.div_(world())


def begun_alike(network: torch.nn.Module) -> None:
    """Give every process the network of the first."""
    if world() > 1:
        with _all_alive():
            for tensor in network.state_dict().values():
                dist.broadcast(tensor, 0)


def anywhere(here: bool) -> bool:
    """Whether something is so in one process at least; they all get the same answer."""
    count = torch.tensor([float(here)])
    summed([count])
    return bool(count)


def gathered(thing: object) -> list:
    """The thing of every process, in order, for each of them; so none goes on before all have come here.

    Raises:
        AttackError: one of them has ended, or is silent for longer than the patience.
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
        raise AttackError(
            f"a process of the run has failed, and the others cannot go on; --resume or --no-clobber goes on ({reason})"
        ) from error
