"""Top-1 accuracy on a folder of images whose names begin with their ImageNet class index.

python -m tests.benchmarks.accuracy FOLDER
"""

import argparse
from pathlib import Path

import torch

import interpret
from interpret.models.registry import OFFLINE


def accuracy(name: str, folder: Path) -> tuple[int, int]:
    """How many of a folder's images a network names right, and how many there are."""
    classifier = interpret.load(name)
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    with torch.inference_mode():
        right = sum(int(classifier(interpret.read(file)).argmax()) == int(file.name.split("_")[0]) for file in files)
    return right, len(files)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    print("| network | top-1 | images |\n|---|---|---|")
    for name in OFFLINE:
        right, count = accuracy(name, folder)
        print(f"| {name} | {100 * right / count:.1f} % | {count} |")
