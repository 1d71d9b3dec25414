"""One thread at a time in a network that is being looked into, and the random generator that all threads share."""

import threading
import weakref
from collections import Counter
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


_inside: Counter[int] = Counter()  # how many blocks of `generators_kept` each thread is in
_first: list[torch.Tensor] = []  # the state of the CPU's generator before the first of them


@contextmanager
def generators_kept(devices: Sequence[torch.device]) -> Iterator[None]:
    """A block after which the random generators, of the CPU and of these CUDA devices, are as they were before it.

    Blocks of several threads may overlap. Then none of them puts the CPU's generator back while another may draw, and
    the one that ends last restores what was there before the first.
    """
    thread = threading.get_ident()
    with _guard:
        before = torch.get_rng_state()
        if not _inside:
            _first[:] = [before]
        _inside[thread] += 1
    on_devices = [torch.cuda.get_rng_state(device) for device in devices]
    try:
        yield
    finally:
        for device, state in zip(devices, on_devices, strict=True):
            torch.cuda.set_rng_state(state, device)
        with _guard:
            _inside[thread] -= 1
            if not _inside[thread]:
                del _inside[thread]
            if not set(_inside) - {thread}:
                torch.set_rng_state(before if _inside else _first.pop())
