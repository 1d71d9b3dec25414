"""What a step of PGD costs beside the peers and the limit, and what effort that follows difficulty saves.

    python -m tests.benchmarks.attacks [FOLDER] [--images 24]

The limit is the least that PyTorch can do for a step: one forward and the backward to the image through
the frozen network. In a folder whose pictures' names begin with their ImageNet class index, those are
attacked that are right before, and their files, too; otherwise the labels are the predictions.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

import attacks
import interpret
from attacks.evaluation.verdicts import CountedModel
from tests.benchmarks.support.attacked_files import files_table
from tests.benchmarks.support.measure import Cost, installed, interleaved, ratio
from tests.benchmarks.support.pgd_peers import EPS, PEERS, STEP_SIZE, STEPS, Attack, limit
from tests.benchmarks.support.table import Asked, Row, alone, compared, typical

IMAGES, BATCH, STEPPED = 24, 16, 8


def rows(asked: Asked) -> Iterator[Row]:
    """A step, and PGD until fooled."""
    classifier = interpret.load()
    view = classifier.on_inputs()
    images, labels = rightly_named(classifier, chosen_files(asked))
    others = installed(PEERS, view)
    yield a_step(view, images[:STEPPED], labels[:STEPPED], others, min(asked.rounds, 5))
    yield until_fooled(view, images, labels, others, min(asked.rounds, 3))


def chosen_files(asked: Asked) -> list[Path]:
    """So many of the pictures, evenly spread."""
    files, count = asked.files(), asked.images or IMAGES
    return files[:: max(1, len(files) // count)][:count]


def rightly_named(classifier: interpret.Classifier, files: Sequence[Path]) -> tuple[Tensor, Tensor]:
    """(N, 3, 224, 224) on the network's input grid and (N,) labels, without those that are wrong before."""
    images = torch.cat([classifier.prepare(interpret.read(file))[0].clamp(0, 1) for file in files])
    predictions = predicted(classifier.on_inputs(), images)
    names = [file.name.split("_")[0] for file in files]
    labels = torch.tensor([int(name) if name.isdigit() else -1 for name in names])
    right = (labels < 0) | (labels == predictions)
    return images[right], predictions[right]


@torch.no_grad()
def predicted(model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """(N,) classes."""
    return torch.cat([model(part).argmax(1) for part in images.split(BATCH)])


def ours(model: Callable[[Tensor], Tensor], *, stop: bool, batch_size: int | None = None) -> Attack:
    """Our PGD with the peers' settings."""
    settings = {"eps": EPS, "step_size": STEP_SIZE, "steps": STEPS, "random_start": False}
    return lambda images, labels: attacks.pgd(
        model, images, labels, stop_when_fooled=stop, batch_size=batch_size, **settings
    )


def a_step(model: torch.nn.Module, images: Tensor, labels: Tensor, others: dict[str, Attack], rounds: int) -> Row:
    """Ten steps of everybody's PGD, relative to the limit."""
    runs = {"interp": ours(model, stop=False), **others}
    ways = {name: lambda run=run: run(images, labels) for name, run in runs.items()}
    costs = interleaved({"limit": lambda: limit(model, images, labels), **ways}, rounds)
    return compared(f"{STEPS} steps of PGD, batch {len(images)}", costs, 1.05, list(PEERS))


def until_fooled(model: torch.nn.Module, images: Tensor, labels: Tensor, others: dict[str, Attack], rounds: int) -> Row:
    """PGD to success, who is fooled leaving the batch, as a share of torchattacks' time; among images right before."""
    runs = {"interp": ours(model, stop=True, batch_size=BATCH), "all steps": in_batches(ours(model, stop=False))}
    runs |= {name: in_batches(run) for name, run in others.items() if name == "torchattacks"}
    found = {name: run(images, labels) for name, run in runs.items()}
    shares = {name: float((predicted(model, each) != labels).float().mean()) for name, each in found.items()}
    ways = {name: lambda run=run: run(images, labels) for name, run in runs.items()}
    ways["step"] = lambda: step(model, images, labels)
    ways["proof"] = lambda: predicted(model, images)
    costs = interleaved(ways, rounds)
    peer = "torchattacks" if "torchattacks" in costs else None
    fooled = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    return Row(
        f"PGD-{STEPS} until fooled, {len(images)} images: times faster than torchattacks",
        ratio(costs, peer, "interp") if peer else None,
        7,
        at_least=True,
        besides=peer is None or shares["interp"] >= shares[peer],
        peers={
            "interp's own, all steps,": ratio(costs, "all steps", "interp"),
            **({} if peer else {"torchattacks": None}),
        },
        cost=typical(costs["interp"]),
        remark=f"fooled: {fooled}; {passes(model, images, labels, costs)}",
    )


def passes(model: torch.nn.Module, images: Tensor, labels: Tensor, costs: dict[str, list[Cost]]) -> str:
    """How many passes an image takes, and how much faster than all steps one step and its proof would be, in words."""
    counted = CountedModel(model)
    ours(counted, stop=True, batch_size=BATCH)(images, labels)
    backward, forward = (count / len(images) for count in (counted.backwards, counted.forwards))
    one, proof = (sum(cost.cpu for cost in costs[name]) for name in ("step", "proof"))
    best = f"{STEPS * one / (one + proof):.1f} x were each to fall to the first step"
    return f"{backward:.2f} backward and {forward:.2f} forward passes an image; {best}"


def step(model: torch.nn.Module, images: Tensor, labels: Tensor) -> None:
    """One forward and backward pass of all images."""
    for part, those in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        leaf = part.clone().requires_grad_()
        torch.autograd.grad(torch.nn.functional.cross_entropy(model(leaf), those, reduction="sum"), leaf)


def in_batches(run: Attack) -> Attack:
    """The same, some images at a time."""
    return lambda images, labels: torch.cat(
        [run(*part) for part in zip(images.split(BATCH), labels.split(BATCH), strict=True)]
    )


if __name__ == "__main__":
    asked = alone(rows, __doc__)
    if asked.pictures is not None:
        files_table(interpret.load(), chosen_files(asked))
