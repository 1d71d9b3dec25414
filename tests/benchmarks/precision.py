"""What bf16, fp16 and folded batch normalisation change: logits, top classes and maps, on the bundled photos.

    python -m tests.benchmarks.precision [--model squeezenet1_1]

Beside the CPU or GPU seconds of a pass over all photos, as a share of those in float32.
"""

import argparse
import time

import torch
from torch import Tensor

import interpret
from cli.memory import keep_freed_memory
from interpret.bundled import samples
from interpret.models.fold_batchnorm import folded
from tests.benchmarks.support.measure import header

MAPS = ("gradcam", "saliency", "guided_backprop")


def seconds(run, device: torch.device) -> float:
    """Of one call, after one to warm up: the process's on a CPU, by the clock elsewhere."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    times = []
    for _ in range(3):
        start = clock()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(clock() - start)
    return min(times[1:])


def correlation(one: Tensor, other: Tensor) -> float:
    """The mean over pictures of the correlation of two maps."""
    rows = torch.stack([one.flatten(1), other.flatten(1)], 1).float()
    return float(torch.stack([torch.corrcoef(pair)[0, 1] for pair in rows]).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="efficientnet_lite0")
    given = parser.parse_args()
    keep_freed_memory()  # as the shell's commands do
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    exact = interpret.load(given.model).to(device)
    photos = [interpret.read(path).to(device) for name, path in samples().items() if "painting" not in name]
    inputs = torch.cat([exact.prepare(photo)[0] for photo in photos]).clamp(0, 1)
    ways = {
        "float32": exact,
        "bf16": interpret.load(given.model, precision="bf16").to(device),
        "fp16": interpret.load(given.model, precision="fp16").to(device),
        "folded": folded(exact),
    }
    print(header(), f"{given.model}, {len(photos)} photos, {device.type}", sep="\n", end="\n\n")
    print(f"| | largest change of a logit | same top class | {' | '.join(MAPS)} | time |")
    print(f"|---|---|---|{'---|' * len(MAPS)}---|")
    found = {}
    for name, classifier in ways.items():
        view = classifier.on_inputs()
        with torch.no_grad():
            logits = view(inputs)
        with torch.no_grad():
            spent = seconds(lambda view=view: view(inputs), device)
        top = found["float32"][0].argmax(1) if found else logits.argmax(1)
        maps = [getattr(interpret, method)(view, inputs, top) for method in MAPS]
        found[name] = logits, maps, spent
        expected, expected_maps, whole = found["float32"]
        same = int((logits.argmax(1) == expected.argmax(1)).sum())
        alike = " | ".join(
            f"{correlation(one, other):.4f}" if name != "folded" else ""
            for one, other in zip(maps, expected_maps, strict=True)
        )
        change = float((logits - expected).abs().max())
        print(f"| {name} | {change:.2g} | {same} of {len(photos)} | {alike} | {spent / whole:.2f} |", flush=True)


if __name__ == "__main__":
    main()
