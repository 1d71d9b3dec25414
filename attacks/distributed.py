"""Several processes that share one piece of work; a single process is a world of one."""

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
    """Join the other processes that ``torchrun`` has started.

    A process that ends is noticed at once, one that is silent after the patience. Where shares take differently long,
    this is by how much the last process may be later than the first.
    """
    if not dist.is_initialized():
        # Gloo too, for what lies on the CPU.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=patience)


def leave() -> None:
    """Leave the others."""
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
    """Replace floating point tensors, such as running means, by their means over all processes."""
    tensors = [tensor for tensor in tensors if tensor.is_floating_point()]
    summed(tensors)
    for tensor in tensors:
        tensor.div_(world())


def broadcast(network: torch.nn.Module) -> None:
    """Give every process the weights of the first."""
    if world() > 1:
        with _all_alive():
            for tensor in network.state_dict().values():
                dist.broadcast(tensor, 0)


def any_process(condition: bool) -> bool:
    """Whether a condition holds in at least one process; all get the same answer."""
    count = torch.tensor([float(condition)])
    summed([count])
    return bool(count)


def gathered(thing: object) -> list:
    """The things of all processes, in order; none goes on before all have called this."""
    if world() == 1:
        return [thing]
    things: list = [None] * world()
    with _all_alive():
        dist.all_gather_object(things, thing)
    return things


@contextmanager
def _all_alive() -> Iterator[None]:
    """A block that turns the failure of another process into one sentence."""
    try:
        yield
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise AttackError(
            f"a process of the run has failed, and the others cannot go on; --resume or --no-clobber goes on ({reason})"
        ) from error
