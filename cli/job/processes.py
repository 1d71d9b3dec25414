"""The processes that `torchrun` starts as one command, of which the first alone speaks."""

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

from ..options.messages import Messages
from ..options.network import device_named

LONG = datetime.timedelta(days=1)  # shares of the work may take differently long; one that dies is noticed at once


def count() -> int:
    """How many processes torchrun has started; 1 where it has not."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the process that prints and writes what is about all of the work."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def joined(device: str, messages: Messages, patience: datetime.timedelta = LONG) -> Iterator[Messages]:
    """A block in which the processes of torchrun know each other; it is given the messages of this process.

    All but the first are quiet. ``patience`` is how much longer one process may take than another.
    """
    if count() == 1:
        yield messages  # without PyTorch, so that what is wrong with the command is said at once
        return
    from attacks import distributed
    from interpret.progress import without_bars

    # torchrun tells each process which of the machine's devices is its own.
    if "LOCAL_RANK" in os.environ and device_named(device) == "cuda":
        import torch

        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.join(patience)
    try:
        with nullcontext() if is_first() else without_bars():
            yield messages if is_first() else replace(messages, quiet=True)
    finally:
        distributed.leave()


def own_share(work: list) -> list:
    """This process's share of the work."""
    return work[int(os.environ["RANK"]) :: count()] if count() > 1 else work


def all_failures(failed: int) -> int:
    """Wait for the other processes; the first learns how much failed in all of them, the others 0.

    A process that ended with a failure before the others are done would make torchrun end these.
    """
    if count() == 1:
        return failed
    from attacks import distributed

    everybody = distributed.gathered(failed)
    return sum(everybody) if is_first() else 0
