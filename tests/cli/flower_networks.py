"""Networks for the shell that are odd in one way each: -m tests.cli.flower_networks:counting."""

import torch

from interpret import Classifier
from tests.command import FLOWERS, flowers
from tests.tiny import SmallTransformer

passes: list[int] = []  # how many pictures each pass of a counting network took


def counting() -> Classifier:
    """Flowers, whose passes through the network are counted."""
    classifier = flowers()
    classifier.network.register_forward_pre_hook(lambda module, given: passes.append(len(given[0])))
    return classifier


def single() -> Classifier:
    """Flowers, by a network that answers for one picture, however many it is given."""
    classifier = flowers()
    classifier.network.register_forward_hook(lambda module, given, output: output[:1])
    return classifier


def attending() -> Classifier:
    """Flowers, by a transformer."""
    torch.manual_seed(4)
    network = SmallTransformer(classes=len(FLOWERS)).eval()
    return Classifier(network, mean=(0.5,) * 3, std=(0.25,) * 3, labels=FLOWERS, input_size=24)


def unsized() -> Classifier:
    """Flowers, by a network that takes pictures of any size as they are; its passes are counted."""
    same = counting()
    return Classifier(same.network, mean=(0.5,) * 3, std=(0.25,) * 3, labels=FLOWERS)


def unruled() -> Classifier:
    """Flowers, by a network with an operation, here without effect, for which no backward rule exists."""
    classifier = flowers()
    classifier.network.register_forward_hook(lambda module, given, output: torch.logaddexp(output, output - 1000))
    return classifier


def crowded() -> Classifier:
    """Flowers, for a machine whose memory holds two pictures at a time."""

    def refuse(module: torch.nn.Module, given: tuple) -> None:
        if len(given[0]) > 2:
            raise RuntimeError("out of memory")

    classifier = flowers()
    classifier.network.register_forward_pre_hook(refuse)
    return classifier
