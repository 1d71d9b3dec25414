"""Several processes that train one network; one process is the case of a world of one."""

import datetime
import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = datetime.timedelta(minutes=5)  # after which a silent process counts as dead


def join() -> None:
    """Meet the other processes that ``torchrun`` has started, if it has."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE)


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


def own(items: Tensor) -> Tensor:
    """This process's share of items (n, ...)."""
    return items[rank() :: world()]


def summed(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by their sums over all processes, in one message."""
    tensors = list(tensors)
    if world() == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def averaged(network: torch.nn.Module) -> None:
    """Make the processes agree on what is no parameter, such as running means, which saw different pictures."""
    buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
    summed(buffers)
    for buffer in buffers:
        buffer.div_(world())


def gathered(thing: object) -> list:
    """The thing of every process, in order, for each of them."""
    if world() == 1:
        return [thing]
    everybody: list = [None] * world()
    dist.all_gather_object(everybody, thing)
    return everybody
