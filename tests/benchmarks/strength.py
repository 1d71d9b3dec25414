"""How strong the attacks are beside the strongest of others, at the same number of passes, over five seeds.

    python -m tests.benchmarks.strength [PHOTOS] [--network NAME] [--attack NAME]

Each seed has samples and starts of its own. Of attacks within a radius the table says how many samples, of all seeds,
are still right; of others the median of the smallest changes found, and for how many samples one was. A row holds if
ours fools as many samples as each peer, or one fewer, and its median is at most 1.02 times the best; "chance" is a row
with fewer by more than one, but by less than two standard deviations, given on how many samples the two differ.

Needs what tests.benchmarks.autoattack needs, ``pip install pyautoattack foolbox torchattacks`` and ``pip install
--no-deps adv-lib``. Without a folder of photos, whose names begin with their ImageNet class, they are left out.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import interpret
from attacks import GradientWarning
from attacks.core.norms import norm_named
from tests.benchmarks.attacks import rightly_named
from tests.benchmarks.autoattack import digits, lenet
from tests.benchmarks.support.contests import CONTESTS, Contest, Scale
from tests.benchmarks.support.measure import installed, version

SEEDS, DIGITS, PHOTOS = 5, 20, 4  # samples of each seed
SLACK = 1.02
VERDICTS = ("", "holds", "chance", "MISSED")
PACKAGES = ("torch", "pyautoattack", "adv-lib", "foolbox", "torchattacks")
NETWORKS = {
    "LeNet, plain": Scale({"Linf": 0.1, "L2": 1.0, "L1": 5.0}),
    "LeNet, robust": Scale({"Linf": 0.3, "L2": 1.5, "L1": 10.0}),
    "efficientnet_lite0": Scale({"Linf": 0.5 / 255, "L2": 0.2, "L1": 20.0}, part=5),
}


@dataclass
class Score:
    """What one attack has done to the samples of all seeds."""

    distances: list[float]  # infinite for samples that are still right
    seconds: float = 0.0

    def fooled(self) -> int:
        """For how many samples a change was found."""
        return sum(distance < float("inf") for distance in self.distances)

    def told(self, contest: Contest) -> str:
        """In a few words."""
        if contest.bounded:
            return f"{len(self.distances) - self.fooled()}"
        return f"{statistics.median(self.distances):.4g} ({self.fooled()})"


def samples(name: str, photos: Path | None) -> Iterator[tuple[nn.Module, Tensor, Tensor]]:
    """For each seed the network, and images that it is right about with their labels."""
    if name != "efficientnet_lite0":
        network = lenet("plainly trained" if "plain" in name else "adversarially trained")
        for seed in range(SEEDS):
            images, labels = digits(DIGITS, seed + 1)
            right = network(images).argmax(1) == labels
            yield network, images[right], labels[right]
        return
    classifier = interpret.load()
    view = classifier.on_inputs().eval()
    files = sorted(photos.iterdir())
    images, labels = rightly_named(classifier, files[:: len(files) // (SEEDS * PHOTOS * 2)])
    for seed in range(SEEDS):
        yield view, images[seed * PHOTOS :][:PHOTOS], labels[seed * PHOTOS :][:PHOTOS]


def scores(contest: Contest, scale: Scale, drawn: list[tuple[nn.Module, Tensor, Tensor]]) -> dict[str, Score]:
    """Ours and every installed peer's."""
    found: dict[str, Score] = {}
    for seed, (network, images, labels) in enumerate(drawn):
        ways = {"interp": contest.ours(network, seed, scale), **installed(contest.peers, network, seed, scale)}
        for name, run in ways.items():
            began = time.process_time()
            points = run(images, labels)
            score = found.setdefault(name, Score([]))
            score.seconds += time.process_time() - began
            score.distances += changes(network, images, labels, points, contest, scale)
    return found


@torch.no_grad()
def changes(
    network: nn.Module, images: Tensor, labels: Tensor, points: Tensor, contest: Contest, scale: Scale
) -> list[float]:
    """How far points that fool are from the images, infinite where they do not, or lie outside of the radius."""
    distance = norm_named(contest.norm).size(points.double() - images.double())
    valid = (network(points).argmax(1) != labels) & (points >= 0).flatten(1).all(1) & (points <= 1).flatten(1).all(1)
    if contest.bounded:
        valid = valid & (distance <= scale.eps[contest.norm] * (1 + 1e-3))  # peers exceed it by rounding
    return torch.where(valid, distance, torch.inf).tolist()


def holds(contest: Contest, ours: Score, peers: list[Score]) -> str:
    """Whether ours is at least as strong as every peer, in a word."""
    nearest = min((statistics.median(peer.distances) for peer in peers), default=float("inf"))
    if not contest.bounded and statistics.median(ours.distances) > SLACK * nearest:
        return "MISSED"
    return max((as_many(ours, peer) for peer in peers), key=VERDICTS.index, default="")


def as_many(ours: Score, peer: Score) -> str:
    """Whether ours fools as many samples but for one, or as many but for chance, in a word."""
    pairs = [
        (one < float("inf"), other < float("inf")) for one, other in zip(ours.distances, peer.distances, strict=True)
    ]
    fewer, differ = sum(other - one for one, other in pairs), sum(other != one for one, other in pairs)
    return "holds" if fewer <= 1 else "chance" if fewer <= 2 * differ**0.5 else "MISSED"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="?", help="folder of photos")
    parser.add_argument("--network", default="", help="only networks whose name contains this")
    parser.add_argument("--attack", default="", help="only rows with this, such as FMN or 'PGD, L2'")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    warnings.simplefilter("default", GradientWarning)
    print(f"{SEEDS} seeds, 1 thread; {', '.join(f'{name} {version(name)}' for name in PACKAGES)}\n")
    print("| network, right before | attack | interp | peers | | CPU s |\n|---|---|---|---|---|---|", flush=True)
    began = time.process_time()
    for name, scale in NETWORKS.items():
        if given.network not in name or (name == "efficientnet_lite0" and given.photos is None):
            continue
        drawn = list(samples(name, given.photos))
        right = sum(len(labels) for _, _, labels in drawn)
        for contest in CONTESTS:
            if given.attack in contest.told(scale) and not (scale.part > 1 and contest.slow):
                found = scores(contest, scale, drawn)
                peers = [f"{peer} {score.told(contest)}" for peer, score in found.items() if peer != "interp"]
                seconds = ", ".join(f"{score.seconds:.1f}" for score in found.values())
                verdict = holds(contest, found["interp"], [score for peer, score in found.items() if peer != "interp"])
                cells = [f"{name}, {right}", contest.told(scale), found["interp"].told(contest), "; ".join(peers)]
                print(f"| {' | '.join([*cells, verdict, seconds])} |", flush=True)
    print(f"\nCPU seconds altogether: {time.process_time() - began:.0f}")


if __name__ == "__main__":
    main()
