"""The processes that `torchrun` starts as one command, of which the first alone speaks."""

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import options

LONG = datetime.timedelta(days=1)  # shares of the work may take differently long; one that dies is noticed at once


def processes() -> int:
    """How many processes torchrun has started; 1 where it has not."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def together(settings: dict[str, Any], patience: datetime.timedelta = LONG) -> Iterator[bool]:
    """A block in which the processes know each other; one process is alone in it.

    Args:
        settings: the command's parameters; of all processes but the first, they become quiet.
        patience: how much longer one process may take than another.

    Returns:
        Whether this is the process that prints and writes results.
    """
    if processes() == 1:
        yield True  # without PyTorch, so that what is wrong with the command is said at once
        return
    from attacks import distributed
    from interpret.progress import without_bars

    # torchrun tells each process which of the machine's devices is its own.
    if "LOCAL_RANK" in os.environ and options.device_named(settings["device"]) == "cuda":
        import torch

        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.join(patience)
    try:
        if distributed.rank():
            settings["quiet"] = True
            with without_bars():
                yield False
        else:
            yield True
    finally:
        distributed.leave()


def shared_out(work: list) -> list:
    """This process's share of the work."""
    return work[int(os.environ["RANK"]) :: processes()] if processes() > 1 else work


def failures_of_all(failed: int) -> int:
    """Wait for the other processes; the first learns how much failed in all of them, the others 0.

    A process that ended with a failure before the others are done would make torchrun end these.
    """
    if processes() == 1:
        return failed
    from attacks import distributed

    everybody = distributed.gathered(failed)
    return 0 if distributed.rank() else sum(everybody)
