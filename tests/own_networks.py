"""Small networks of the kinds that people bring: one output, labels, several outputs, maps, boxes, embeddings."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interpret import Classifier

PLAIN = {"mean": [0.0] * 3, "std": [1.0] * 3}


class Net(nn.Module):
    """Two convolutions with ReLU, global average pooling, a linear layer ``fc``, and what the head makes of it."""

    def __init__(self, classes: int, head: Callable[[Tensor], Any] | None = None, *, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self.f = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
            self.fc = nn.Linear(8, classes)
        self.head = head or (lambda logits: logits)

    def features(self, images: Tensor) -> Tensor:
        """The (N, 8) pooled features."""
        return self.f(images).mean((2, 3))

    def forward(self, images: Tensor) -> Any:
        return self.head(self.fc(self.features(images)))


def with_bias(network: Net, *bias: float) -> Net:
    """The network with the bias of its last layer set, and frozen in evaluation mode."""
    with torch.no_grad():
        network.fc.bias.copy_(torch.tensor(bias))
    return network.eval().requires_grad_(False)


def one_output() -> nn.Module:
    """A sigmoid called as a function on one output; the probability of the second class is low."""
    return with_bias(Net(1, torch.sigmoid), -3.0)


def three_labels() -> nn.Module:
    """Three labels, each with a probability of its own: the first two hold, the last does not."""
    network = with_bias(Net(3), 5.0, 5.0, -5.0)
    network.head = nn.Sigmoid()
    return network


def ages() -> nn.Module:
    """A regression with one output."""
    return with_bias(Net(1), 40.0)


class Several(Net):
    """A network that returns what ``give`` makes of it and of its input."""

    def __init__(self, give: Callable[["Several", Tensor], Any]) -> None:
        super().__init__(3)
        self.give = give

    def forward(self, images: Tensor) -> Any:
        return self.give(self, images)


class Halves(nn.Module):
    """Two labels: one for the brightness of the left half of a picture, one for that of the right."""

    def forward(self, images: Tensor) -> Tensor:
        left, right = (half.mean((1, 2, 3)) for half in images.chunk(2, dim=3))
        return torch.sigmoid(torch.stack([4 * left - 1, 10 * right - 5], 1))


class Segments(nn.Module):
    """A map of scores for three classes at half the picture's size, in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Net(3)
        self.classifier = nn.Conv2d(8, 3, 1)
        with torch.no_grad():
            self.classifier.bias.copy_(torch.tensor([0.0, 0.1, 0.2]))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"out": self.classifier(F.avg_pool2d(self.body.f(images), 2))}


class Detects(nn.Module):
    """Two boxes in each picture, whose scores are the brightness of its halves; 1 is on the left and 2 on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        with torch.no_grad():
            self.conv.weight.fill_(1 / 3)
            self.conv.bias.zero_()

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        height, width = images.shape[2:]
        middle = width / 2
        boxes = images.new_tensor([[0, 0, middle, height], [middle, 0, width, height]])
        halves = [half.mean((2, 3))[:, place] for place, half in enumerate(self.conv(images).chunk(2, dim=3))]
        scores = torch.stack(halves, 1)
        labels = torch.tensor([1, 2])
        return [{"boxes": boxes, "labels": labels, "scores": row} for row in scores]


def classifier(network: nn.Module, **settings: Any) -> Classifier:
    """A classifier without preprocessing, in evaluation mode."""
    return Classifier(network, **PLAIN | settings).eval()


def first_box(detections: list[dict[str, Tensor]]) -> Tensor:
    """The score of the first box of each picture."""
    return torch.stack([found["scores"][0] for found in detections])


def last_map(output: dict[str, Tensor]) -> Tensor:
    """A score that asks for what the network does not return."""
    return output["last"].mean((1, 2, 3))


def two_outputs() -> nn.Module:
    """Features and logits."""
    return Several(lambda net, images: (net.features(images), net.fc(net.features(images)))).eval()


def two_classes() -> nn.Module:
    """A network that sees the first class in every picture."""
    return with_bias(Net(2), 4.0, -4.0)
