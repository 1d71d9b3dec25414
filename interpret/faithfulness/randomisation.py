"""A network's weights lost block by block (Adebayo et al. 2018, https://arxiv.org/abs/1810.03292)."""

import copy
import zlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..errors import NetworkError
from ..network.hooks import left_as_found, traced

ENOUGH = 8  # blocks; where the names' first parts give fewer, their second parts are looked at too


def blocks_of(classifier: nn.Module, images: Tensor) -> list[str]:
    """The blocks of a network that have weights, as beginnings of their names, in the order in which they run.

    Args:
        classifier: the classifier.
        images: (N, 3, H, W) to run it on.

    Returns:
        Such as features.0, features.3, ..., classifier.1.

    Raises:
        NetworkError: no module of it has weights.
    """
    network, names = network_of(classifier), []

    def visit(call: object) -> None:
        if next(call.module.parameters(recurse=False), None) is not None:
            names.append(call.name.partition("#")[0])

    with left_as_found(classifier, images.device), torch.no_grad():
        traced(network, lambda: classifier(images[:1]), visit)
    if not names:
        raise NetworkError(f"no layer of {type(network).__name__} has weights that could be randomised")
    for parts in range(1, max(name.count(".") for name in names) + 2):
        blocks = list(dict.fromkeys(".".join(name.split(".")[:parts]) for name in names))
        if len(blocks) >= ENOUGH:
            break
    return blocks


def joined(blocks: Sequence[str], most: int) -> list[list[str]]:
    """The blocks from the top down in at most so many groups; the top block stays alone.

    Args:
        blocks: in the order in which they run.
        most: groups, at least 1.
    """
    top, *rest = reversed(blocks)
    count = min(most - 1, len(rest))
    bounds = [round(number * len(rest) / count) for number in range(count + 1)] if count else []
    return [[top], *(rest[low:high] for low, high in zip(bounds, bounds[1:], strict=False))]


def shuffle(network: nn.Module, blocks: Sequence[str], seed: int) -> None:
    """Put the weights of some blocks in random order, each tensor for itself, which keeps their distribution.

    Args:
        network: changed in place.
        blocks: beginnings of the parameters' names.
        seed: with a parameter's name, what its order depends on.
    """
    for name, parameter in network.named_parameters():
        if any(name == block or name.startswith(f"{block}.") for block in blocks):
            generator = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(name.encode()))
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.data = parameter.data.flatten()[order].view_as(parameter)


def cascading(classifier: nn.Module, groups: Sequence[Sequence[str]], seed: int = 0) -> Iterator[nn.Module]:
    """Copies of a classifier with more and more groups randomised: the first, the first two, and so on."""
    same = copy.deepcopy(classifier)
    for group in groups:
        shuffle(network_of(same), group, seed)
        yield same


def independent(classifier: nn.Module, groups: Sequence[Sequence[str]], seed: int = 0) -> Iterator[nn.Module]:
    """Copies of a classifier with one group randomised each, and all others as they were."""
    for group in groups:
        same = copy.deepcopy(classifier)
        shuffle(network_of(same), group, seed)
        yield same
