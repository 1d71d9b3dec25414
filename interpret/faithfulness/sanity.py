"""Sanity checks for explanations (Adebayo et al. 2018, https://arxiv.org/abs/1810.03292)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..classifier import network_of, on_input_grid
from ..explainers import explainer_named
from ..explainers.aggregation import importance
from ..network.hooks import counted
from ..scores import Target
from .randomisation import blocks_of, cascading, independent, joined
from .similarity import rank_correlation, scaled, ssim

TOO_ALIKE = 0.8


@dataclass(frozen=True)
class Likeness:
    """How alike the absolute values of maps are, picture by picture."""

    spearman: Tensor  # (depths, N)
    ssim: Tensor  # (depths, N)


@dataclass(frozen=True)
class Sanity:
    """How a method's maps change when the network loses its weights."""

    method: str
    blocks: list[str]  # from the top down: those that are randomised at each depth
    cascading: Likeness  # to the maps of the intact network, with the blocks of a depth and all above randomised
    independent: Likeness | None  # the same with the blocks of a depth alone
    floor: Likeness  # of the maps of two networks that are random throughout, one depth

    @property
    def after_top(self) -> float:
        """The mean rank correlation with the top block randomised."""
        return float(self.cascading.spearman[0].mean())

    @property
    def passed(self) -> bool:
        """Whether the maps depend on the weights of the top block."""
        return self.after_top < TOO_ALIKE

    @property
    def changes_at(self) -> str | None:
        """The first depth of the cascade at which the maps become others; None where they never do."""
        means = self.cascading.spearman.mean(1).tolist()
        return next((block for block, mean in zip(self.blocks, means, strict=True) if mean < TOO_ALIKE), None)

    @property
    def verdict(self) -> str:
        """The result in words."""
        return "depends on the weights" if self.passed else "does not depend on the weights"


def sanity(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    method: str,
    *,
    depths: int = 8,
    one_by_one: bool = True,
    seed: int = 0,
    **options: Any,
) -> Sanity:
    """Whether a method's maps change when the network's weights are lost.

    The weights of a copy are shuffled, from the top block down (cascading) and block by block (independent), and the
    absolute values of the maps of the same class are compared with those of the intact network. A method fails if its
    maps keep a rank correlation of 0.8 or more without the top block: they show the picture rather than what the
    network learnt of the class. The floor, the lowest similarity to be expected, is that of the maps of two networks
    that are random throughout.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        method: a name of the table EXPLAINERS.
        depths: number of groups of blocks, of which the first is the top block alone.
        one_by_one: whether blocks are randomised independently too.
        seed: of the shuffles.
        **options: of the method.

    Returns:
        The similarities at each depth, and the verdict.

    Raises:
        NetworkError: the network has no weights, or the method cannot explain it.
    """
    view, inputs, _ = on_input_grid(classifier, images.detach())
    explainer = explainer_named(method)

    def maps(network: nn.Module) -> Tensor:
        return importance(explainer(network, inputs, target, **options), method).abs()

    whole = maps(view)
    every = blocks_of(view, inputs)
    groups = joined(every, max(1, depths))
    down = _likeness(whole, map(maps, cascading(view, groups, seed)))
    alone = _likeness(whole, map(maps, independent(view, groups, seed))) if one_by_one else None
    first, second = (maps(next(independent(view, [every], seed + number))) for number in (0, 1))
    names = [group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}" for group in groups]
    return Sanity(method, names, down, alone, _likeness(first, [second]))


def passes_of(classifier: nn.Module, images: Tensor, target: Sequence[int], method: str, **options: Any) -> int:
    """How many passes a method's map of one picture takes: of the first of images (N, 3, H, W), which is explained."""
    with counted(network_of(classifier)) as count:
        explainer_named(method)(classifier, images[:1], target[0], **options)
    return max(1, count["passes"])


def affordable(
    classifier: nn.Module, images: Tensor, target: Sequence[int], method: str, *, depths: int, budget: int
) -> tuple[int, int, bool]:
    """How many pictures and depths a budget of passes allows, of those given, and whether independent checks too.

    Which is at least one picture, and two depths unless fewer are given. One explanation is made to count its passes.
    """
    each = passes_of(classifier, images, target, method)
    view, inputs, _ = on_input_grid(classifier, images[:1])
    depths = len(joined(blocks_of(view, inputs), depths))
    # Maps of the intact network, of two random ones, and two at each depth.
    pictures = budget // (each * (2 * depths + 3))
    if pictures:
        return min(pictures, len(images)), depths, True
    return 1, max(min(depths, 2), min(depths, budget // each - 3)), False


def _likeness(whole: Tensor, others: Iterable[Tensor]) -> Likeness:
    pairs = [(rank_correlation(whole, other), ssim(scaled(whole), scaled(other))) for other in others]
    ranks, structures = zip(*pairs, strict=True)
    return Likeness(torch.stack(ranks), torch.stack(structures))
