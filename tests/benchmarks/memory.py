"""What 1,000 calls leave behind after 50, and whether the peak of memory grows with the number of passes.

    python -m tests.benchmarks.memory

Resident memory, in bytes a call, and hooks left. The peak is what a call adds to what a new process
held before, first with few passes and then with more.
"""

import contextlib
import ctypes
import gc
import resource
import sys
from collections.abc import Iterator

import torch
from torchvision import models

import interpret
from tests.benchmarks.support.limits import fresh_network, zeros
from tests.benchmarks.support.measure import process
from tests.benchmarks.support.table import Asked, Row, alone

METHODS = ("gradcam", "saliency", "guided_backprop")
# Method to its options for few passes, two chunks of 8 or more, and for four times as many.
FLAT = {
    "smoothgrad": ({"samples": 16}, {"samples": 64}),
    "integrated_gradients": ({"steps": 16}, {"steps": 64}),
    "occlusion": ({"window": 56, "stride": 56}, {"window": 28, "stride": 28}),
    "rise": ({"masks": 16}, {"masks": 64}),
    "scorecam": ({"layer": "layer1"}, {"layer": "layer3"}),
}


def resident() -> int:
    """Bytes of memory that the process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def rows(asked: Asked) -> Iterator[Row]:
    """The slopes of METHODS and the peaks of FLAT."""
    for name in METHODS:
        slope, hooks = thousand_calls(name)
        value, remark = (slope, 0.0), f"{hooks} hooks left"
        yield Row(f"1,000 calls of {name}", value, 5000, "bytes a call", besides=hooks == 0, remark=remark)
    for name in FLAT:
        command = ("-m", "tests.benchmarks.memory", "--peaks-of", name)
        few, many = (int(word) for word in process(*command, threads=asked.threads).printed.split())
        remark = f"{few / 1e6:.0f} MB, then {many / 1e6:.0f} MB"
        yield Row(f"{name}, peak of memory with 4 times the passes", (many / few, 0.0), 1.10, remark=remark)


def thousand_calls(name: str) -> tuple[float, int]:
    """Bytes a call, and how many hooks are left."""
    network = models.resnet18().eval()
    images = torch.rand(1, 3, 64, 64)
    explain, target = getattr(interpret, name), zeros(images)
    for _ in range(50):
        explain(network, images, target)
    gc.collect()
    before = resident()
    for _ in range(1000):
        explain(network, images, target)
    gc.collect()
    hooks = sum(len(module._forward_hooks) + len(module._backward_hooks) for module in network.modules())
    return (resident() - before) / 1000, hooks


def print_peaks(name: str) -> None:
    """Bytes at the peak of few passes, and of many after them, above what a new process held before both."""
    with contextlib.suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(-3, 2**16)  # buffers are borrowed for one use, so that the peak is what is held
    network, images = fresh_network(), torch.rand(1, 3, 224, 224)
    explain, target = getattr(interpret, name), zeros(images)
    interpret.saliency(network, images, target)  # what is loaded but once
    before = resident()
    for options in FLAT[name]:
        explain(network, images, target, max_batch=8, **options)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peaks-of"]:
        print_peaks(sys.argv[2])
    else:
        alone(rows, __doc__)
