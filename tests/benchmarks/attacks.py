"""What a step of PGD costs beside the peers and the limit, and what effort that follows difficulty saves.

python -m tests.benchmarks.attacks FOLDER [--images 100]

FOLDER holds images whose names begin with their ImageNet class index. The limit is the least that
PyTorch can do for a step: one forward and the backward to the image through the frozen network.
"""

import argparse
import contextlib
import io
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

import attacks
import interpret
from attacks.verdicts import judge
from tests.benchmarks.measure import header, interleaved, ratio, version

STEPS = 10
EPS, STEP_SIZE = 8 / 255, 2 / 255  # torchattacks' defaults
SMALL = 2 / 255


def pictures(classifier: interpret.Classifier, folder: Path, count: int) -> tuple[Tensor, Tensor]:
    """(N, 3, 224, 224) on the network's input grid, and (N,) class indices."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".png"))
    files = files[:: max(1, len(files) // count)][:count]
    images = torch.cat([classifier.prepare(interpret.read(file))[0].clamp(0, 1) for file in files])
    return images, torch.tensor([int(file.name.split("_")[0]) for file in files])


def limit(model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> None:
    """So many forward and backward passes."""
    for _ in range(STEPS):
        leaf = images.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(leaf), labels, reduction="sum")
        torch.autograd.grad(loss, leaf)


def torchattacks_pgd(model: torch.nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """torchattacks' PGD from the images themselves."""
    import torchattacks

    return torchattacks.PGD(model, eps=EPS, alpha=STEP_SIZE, steps=STEPS, random_start=False)


def foolbox_pgd(model: torch.nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """foolbox' PGD from the images themselves."""
    import foolbox

    seen = foolbox.PyTorchModel(model, bounds=(0, 1))
    attack = foolbox.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=STEPS, random_start=False)
    return lambda images, labels: attack(seen, images, labels, epsilons=[EPS])[1][0]


def art_pgd(model: torch.nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """The Adversarial Robustness Toolbox's PGD from the images themselves."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    seen = PyTorchClassifier(model, torch.nn.CrossEntropyLoss(), (3, 224, 224), 1000, clip_values=(0, 1))
    attack = ProjectedGradientDescentPyTorch(seen, eps=EPS, eps_step=STEP_SIZE, max_iter=STEPS, verbose=False)
    return lambda images, labels: torch.from_numpy(attack.generate(images.numpy(), labels.numpy()))


PEERS = {"torchattacks": torchattacks_pgd, "foolbox": foolbox_pgd, "adversarial-robustness-toolbox": art_pgd}


def peers(model: torch.nn.Module) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Those that are installed."""
    found = {}
    for name, make in PEERS.items():
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                found[name] = make(model)
        except ImportError as error:
            print(f"{name}: not installed ({error})")
    return found


def ours(
    model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, *, stop: bool, **settings: object
) -> Tensor:
    """Our PGD with the same settings."""
    settings = {"eps": EPS, "random_start": False, "step_size": STEP_SIZE, **settings}
    return attacks.pgd(model, images, labels, steps=STEPS, stop_when_fooled=stop, **settings)


def steps_table(model: torch.nn.Module, images: Tensor, labels: Tensor, rounds: int) -> None:
    """Ten steps of everybody's PGD, relative to the limit."""
    others = peers(model)
    ways: dict[str, Callable[[], object]] = {
        "limit": lambda: limit(model, images, labels),
        "ours": lambda: ours(model, images, labels, stop=False),
        **{name: lambda run=run: run(images, labels) for name, run in others.items()},
    }
    times = interleaved(ways, rounds)
    print(f"\nPGD, {STEPS} steps, batch of {len(images)}, {rounds} rounds:\n")
    print("| who | times the limit |\n|---|---|")
    for name in ways:
        middle, spread = ratio(times, name, "limit")
        print(f"| {name} {'' if name in ('limit', 'ours') else version(name)} | {middle:.2f} ± {spread:.2f} |")


def success_table(model: torch.nn.Module, images: Tensor, labels: Tensor) -> None:
    """PGD to success, who is fooled leaving the batch, beside torchattacks; among images right before."""
    others = {name: run for name, run in peers(model).items() if name == "torchattacks"}

    def in_batches(run: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], Tensor]:
        return lambda: torch.cat([run(*part) for part in zip(images.split(16), labels.split(16), strict=True)])

    ways = {
        "ours, all steps": in_batches(lambda *part: ours(model, *part, stop=False)),
        "ours, until fooled": lambda: ours(model, images, labels, stop=True, batch_size=16),
        **{name: in_batches(run) for name, run in others.items()},
    }
    found = {name: run() for name, run in ways.items()}
    times = interleaved(ways, 1)
    print(f"\nPGD-{STEPS} at 8/255 on {len(images)} images that are right before:\n")
    print("| who | fooled | time of `ours, until fooled` |\n|---|---|---|")
    for name, adversarial in found.items():
        with torch.no_grad():
            share = float(
                (torch.cat([model(part).argmax(1) for part in adversarial.split(16)]) != labels).float().mean()
            )
        print(f"| {name} | {share:.1%} | {times[name][0] / times['ours, until fooled'][0]:.1f} |")


def files_table(classifier: interpret.Classifier, folder: Path, count: int) -> None:
    """PGD-10 at 2/255 on the files themselves, at their full size: fooled, and still fooled once read back."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".png"))
    files = files[:: max(1, len(files) // count)][:count]
    print(f"\nPGD-{STEPS} at 2/255 on {len(files)} files at full size, on the 8-bit grid:\n")
    print("| loss | right before | fooled | fooled, read back from PNG |\n|---|---|---|---|")
    for loss in ("cross_entropy", "margin"):
        right = fooled = kept = 0
        with tempfile.TemporaryDirectory() as place:
            for file in files:
                image, label = interpret.read(file), torch.tensor([int(file.name.split("_")[0])])
                small = {"eps": SMALL, "step_size": SMALL / 4, "quantize": True, "loss": loss}
                found = ours(classifier, image, label, stop=True, **small)
                (verdict,) = judge(classifier, image, found, label)
                interpret.write(Path(place) / "found.png", found)
                (again,) = judge(classifier, image, interpret.read(Path(place) / "found.png"), label)
                right += verdict.right
                fooled += verdict.success
                kept += verdict.success and again.success and again.linf <= SMALL + 1e-7
        print(f"| {loss} | {right} | {fooled} ({fooled / right:.1%}) | {kept} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(header())
    classifier = interpret.load()
    view = classifier.on_inputs()
    images, labels = pictures(classifier, chosen.folder, chosen.images)
    with torch.no_grad():
        right = torch.cat([view(part).argmax(1) for part in images.split(16)]) == labels
    steps_table(view, images[right][:8], labels[right][:8], chosen.rounds)
    success_table(view, images[right], labels[right])
    files_table(classifier, chosen.folder, chosen.images)
