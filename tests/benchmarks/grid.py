"""`interp grid` with eight methods on four pictures, beside the sum of the least passes that they need.

    python -m tests.benchmarks.grid [FOLDER]

Eight methods with their default options on the default network. The least of a picture: one forward and
backward pass to the image, from which come the prediction, saliency, and the activations and gradients
of Grad-CAM, Grad-CAM++ and Layer-CAM; one with another rule backward, of guided backprop; 25 of
smoothgrad, 50 of integrated gradients; and a forward for each of the 225 windows of occlusion. The whole
call is a process of its own; the least passes are timed between the maps of each picture.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

import interpret
from tests.benchmarks.startup import NETWORK
from tests.benchmarks.support.limits import limit, limit_forward
from tests.benchmarks.support.measure import Cost, middle, process
from tests.benchmarks.support.table import Asked, Row, alone

METHODS = ("saliency", "guided_backprop", "gradcam", "gradcam_plusplus", "layercam")
METHODS += ("smoothgrad", "integrated_gradients", "occlusion")
PICTURES = 4
# How many images at a time, and how often, forward and backward or forward alone: as the methods' own chunks.
BACKWARD = ((1, 2), (16, 4), (9, 1), (2, 1))  # two single ones; 25 = 16 + 9 and 50 = 3 x 16 + 2
FORWARD = ((32, 7), (1, 1))  # 225 = 7 x 32 + 1


def least(network: torch.nn.Module, inputs: Tensor) -> None:
    """Every pass that the methods need for one picture (1, 3, H, W) on the network's input."""
    for together, times in BACKWARD:
        limit(network, inputs.repeat(together, 1, 1, 1), times)()
    for together, times in FORWARD:
        limit_forward(network, inputs.repeat(together, 1, 1, 1), times)()


def rows(asked: Asked) -> Iterator[Row]:
    """The maps alone, picture by picture; then the whole call."""
    files = asked.files()[:PICTURES]
    maps, passes = alternating(files)
    ratios = [one.cpu / other.cpu for one, other in zip(maps, passes, strict=True)]
    what = f"`interp grid`, {len(METHODS)} methods, {len(files)} pictures:"
    seconds = sum(each.cpu for each in passes)
    cost, remark = Cost(*map(sum, zip(*maps, strict=True))), f"least passes {seconds:.1f} s"
    yield Row(f"{what} the maps alone", middle(ratios), 1.15, cost=cost, remark=remark)
    with tempfile.TemporaryDirectory() as folder:
        options = ("--methods", ",".join(METHODS), "--no-cache", "-q", "-o", str(Path(folder) / "grid.png"))
        whole = process("-m", "cli", "grid", *map(str, files), *options, threads=asked.threads)
        start = process("-c", NETWORK, threads=asked.threads).cpu
    what, cost = f"{what} the whole call beside", Cost(whole.cpu, whole.wall)
    yield Row(f"{what} the least passes", (whole.cpu / seconds, 0.0), 1.15, cost=cost, remark=remark)
    what += " import torch + build and load + the least passes"
    remark = f"the least {start + seconds:.1f} s"
    yield Row(what, (whole.cpu / (start + seconds), 0.0), 1.15, cost=cost, remark=remark)


def alternating(files: list[Path]) -> tuple[list[Cost], list[Cost]]:
    """What all maps of each picture cost, and what the least passes cost, after a small warm-up."""
    from interpret.figures.grid_maps import GridContents, cells_of

    classifier = interpret.load()
    costs: tuple[list[Cost], list[Cost]] = [], []
    for turn, file in enumerate(files):
        image = interpret.read(file)
        inputs = classifier.prepare(image)[0]
        if turn == 0:  # what the allocator and the search for the layer cost but once
            least(classifier.on_inputs(), inputs)
            list(cells_of("warm-up", image, GridContents({"network": classifier}, METHODS[:5])))
        ways = (
            lambda image=image: list(cells_of("picture", image, GridContents({"network": classifier}, METHODS))),
            lambda inputs=inputs: least(classifier.on_inputs(), inputs),
        )
        for number in (turn % 2, 1 - turn % 2):
            wall, cpu = time.perf_counter(), time.process_time()
            ways[number]()
            costs[number].append(Cost(time.process_time() - cpu, time.perf_counter() - wall))
    return costs


if __name__ == "__main__":
    alone(rows, __doc__)
