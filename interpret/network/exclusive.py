"""One thread at a time in a network that is being looked into, and the random generator that all threads share."""

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

_guard = threading.Lock()
_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()


@contextmanager
def only_thread(modules: Sequence[nn.Module]) -> Iterator[None]:
    """A block that waits until no other thread is in such a block of the same network.

    Flags and hooks of modules are seen by every thread, so what one thread sets another would find. Networks that
    share their first layer, as a classifier and the network in it do, count as one.
    """
    first = next((module for module in modules if not module._modules), None)
    if first is None:
        yield
        return
    with _guard:
        lock = _locks.setdefault(first, threading.RLock())
    with lock:
        yield


class _Generator:
    """PyTorch's generator of the CPU, as it was before the first of the threads that are in a block."""

    inside = 0
    before: torch.Tensor | None = None


@contextmanager
def generators_kept(devices: Sequence[torch.device]) -> Iterator[None]:
    """A block after which the random generators, of the CPU and of these devices, are as they were before it.

    Blocks of several threads may overlap: then the one that ends last puts back what was there before the first.
    """
    with _guard:
        if _Generator.inside == 0:
            _Generator.before = torch.get_rng_state()
        _Generator.inside += 1
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        with _guard:
            _Generator.inside -= 1
            if _Generator.inside == 0:
                torch.set_rng_state(_Generator.before)
