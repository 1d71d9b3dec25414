"""PGD-10 at 2/255 on the files themselves, at their full size: fooled, and still fooled once read back."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

import attacks
import interpret
from attacks.evaluation.verdicts import judge

EPS, STEPS = 2 / 255, 10


def files_table(classifier: interpret.Classifier, files: Sequence[Path]) -> None:
    """Print it, for pictures whose names begin with their class index."""
    files = [file for file in files if file.name.split("_")[0].isdigit()]
    print(f"\nPGD-{STEPS} at 2/255 on {len(files)} files at full size, on the 8-bit grid:\n")
    print("| loss | right before | fooled | fooled, read back from PNG |\n|---|---|---|---|")
    for loss in ("cross_entropy", "margin"):
        right = fooled = kept = 0
        with tempfile.TemporaryDirectory() as place:
            for file in files:
                image, label = interpret.read(file), torch.tensor([int(file.name.split("_")[0])])
                settings = {"eps": EPS, "step_size": EPS / 4, "steps": STEPS, "random_start": False, "loss": loss}
                found = attacks.pgd(classifier, image, label, quantize=True, stop_when_fooled=True, **settings)
                (verdict,) = judge(classifier, image, found, label)
                interpret.write(Path(place) / "found.png", found)
                (again,) = judge(classifier, image, interpret.read(Path(place) / "found.png"), label)
                right += verdict.right
                fooled += verdict.success
                kept += verdict.success and again.success and again.linf <= EPS + 1e-7
        print(f"| {loss} | {right} | {fooled} ({fooled / max(1, right):.1%}) | {kept} |", flush=True)
