"""Slope of resident memory over 1,000 calls after 50, in bytes a call, and the hooks left: design goal 5,000.

python -m tests.benchmarks.memory
"""

import gc
import resource

import torch
from torchvision import models

import interpret

METHODS = ("gradcam", "saliency", "guided_backprop")


def resident() -> int:
    """Bytes of memory that the process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    network = models.resnet18().eval()
    images, target = torch.rand(1, 3, 64, 64), torch.tensor([1])
    print("| method | bytes a call | hooks left |\n|---|---|---|")
    for name in METHODS:
        explain = getattr(interpret, name)
        for _ in range(50):
            explain(network, images, target)
        gc.collect()
        before = resident()
        for _ in range(1000):
            explain(network, images, target)
        gc.collect()
        hooks = sum(len(module._forward_hooks) + len(module._backward_hooks) for module in network.modules())
        print(f"| {name} | {(resident() - before) / 1000:.0f} | {hooks} |", flush=True)


if __name__ == "__main__":
    main()
