"""A network's weights, randomised block by block (Adebayo et al. 2018, https://arxiv.org/abs/1810.03292)."""

import copy
import zlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..errors import NetworkError
from ..explainers.tile_maps import as_seen
from ..layer_outputs import runner
from ..network.hooks import left_as_found, traced
from ..network.survey import surveyed_as

ENOUGH = 8  # blocks; where the first parts of the names give fewer, blocks are told apart by their second parts too


def blocks_of(classifier: nn.Module, images: Tensor) -> list[str]:
    """The blocks with weights, such as features.0, features.3, ..., classifier.1, in the order in which they run.

    The network runs on images (N, 3, H, W). One without weights is a NetworkError.
    """
    network, names = network_of(classifier), []

    def visit(call: object) -> None:
        if next(call.module.parameters(recurse=False), None) is not None:
            names.append(call.path)

    with left_as_found(classifier, images.device), torch.no_grad():
        view, seen = as_seen(classifier, images[:1])
        traced(network, lambda: runner(view)(seen), visit)
    if not names:
        raise NetworkError(f"no layer of {type(network).__name__} has weights that could be randomised")
    for parts in range(1, max(name.count(".") for name in names) + 2):
        blocks = list(dict.fromkeys(".".join(name.split(".")[:parts]) for name in names))
        if len(blocks) >= ENOUGH:
            break
    return blocks


def joined(blocks: Sequence[str], most: int) -> list[list[str]]:
    """Blocks, given in the order in which they run, in at most so many groups from the top down; the first has one."""
    top, *rest = reversed(blocks)
    count = min(most - 1, len(rest))
    bounds = [round(number * len(rest) / count) for number in range(count + 1)] if count else []
    return [[top], *(rest[low:high] for low, high in zip(bounds, bounds[1:], strict=False))]


def shuffle(network: nn.Module, blocks: Sequence[str], seed: int) -> None:
    """Shuffle each weight tensor of some blocks of a network in place, which keeps the distribution of its values.

    The order depends on the seed and on the name of the tensor.
    """
    for name, parameter in network.named_parameters():
        if any(name == block or name.startswith(f"{block}.") for block in blocks):
            generator = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(name.encode()))
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.data = parameter.data.flatten()[order].view_as(parameter)


def cascading(classifier: nn.Module, groups: Sequence[Sequence[str]], seed: int = 0) -> Iterator[nn.Module]:
    """Copies of a classifier with more and more groups randomised: the first, the first two, and so on."""
    same = _copied(classifier)
    for group in groups:
        shuffle(network_of(same), group, seed)
        yield same


def independent(classifier: nn.Module, groups: Sequence[Sequence[str]], seed: int = 0) -> Iterator[nn.Module]:
    """Copies of a classifier with one group randomised each, and all others as they were."""
    for group in groups:
        same = _copied(classifier)
        shuffle(network_of(same), group, seed)
        yield same


def _copied(classifier: nn.Module) -> nn.Module:
    """A copy that shares the labels, of which there are many, and looks at the same layers by default."""
    labels = getattr(classifier, "labels", None)
    same = copy.deepcopy(classifier, {id(labels): labels})
    surveyed_as(network_of(same), network_of(classifier))
    return same
