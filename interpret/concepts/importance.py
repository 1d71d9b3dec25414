"""How far a score falls when a concept is taken out of what a layer gives, beside random channels that hold as much."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..explainers.layer_edits import edited_scores
from ..explainers.passes import passes
from ..layer_outputs import laid_out
from ..network.recording import recorded
from ..scores import Target, score_of, target_of

TOGETHER = 8  # pictures of one size


def deleted(
    view: nn.Module,
    inputs: Sequence[Tensor],
    target: Target,
    layer: str,
    directions: Tensor,
    maps: Sequence[Tensor],
    *,
    draws: int,
    seed: int,
    max_batch: int,
) -> tuple[Tensor, Tensor]:
    """The falls (F,) of the score without each of F concepts, and those (F, draws) without random channels.

    Args:
        view: the classifier for pictures (1, C, h, w) on its input grid.
        inputs: the pictures.
        target: whose score falls.
        layer: what is changed.
        directions: (F, K).
        maps: (F, u, v) of each picture.
        draws: of random channels, the same for all pictures and concepts.
        seed: of these.
        max_batch: passes at once.
    """
    chance = torch.Generator().manual_seed(seed)
    orders = torch.stack([torch.randperm(directions.shape[1], generator=chance) for _ in range(draws)])
    falls = directions.new_zeros(len(directions), 1 + draws)
    for numbers in _alike(inputs):
        rows = torch.tensor(numbers, device=directions.device)
        strengths = torch.stack([maps[number] for number in numbers])
        part = _Deletion(directions, strengths, orders.to(directions.device))
        falls += part.falls(view, torch.cat([inputs[n] for n in numbers]), target_of(target, rows), layer, max_batch)
    falls /= len(inputs)
    return falls[:, 0], falls[:, 1:]


def _alike(inputs: Sequence[Tensor]) -> list[list[int]]:
    """The numbers of the pictures, those of one size together, a few at a time."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for number, given in enumerate(inputs):
        sizes.setdefault(tuple(given.shape), []).append(number)
    return [group[start : start + TOGETHER] for group in sizes.values() for start in range(0, len(group), TOGETHER)]


class _Deletion:
    """Concepts in a few pictures, and channels in random orders.

    A pass deletes a concept, or in its stead the first channels of one of the orders.
    """

    def __init__(self, directions: Tensor, strengths: Tensor, orders: Tensor) -> None:
        self.directions, self.strengths, self.orders = directions, strengths, orders  # (F, K), (N, F, u, v), (D, K)

    def falls(self, view: nn.Module, inputs: Tensor, target: Target, layer: str, max_batch: int) -> Tensor:
        """How far the scores fall without each concept and each random one: (F, 1 + D), summed over the pictures."""
        layouts = laid_out(view, inputs, layer)
        with recorded(network_of(view), layer, layouts=layouts) as recording:
            whole = score_of(view, inputs, target)
        scores = edited_scores(view, inputs, target, recording, whole, self.edit)
        count = len(self.directions) * (1 + len(self.orders))
        found = whole.new_zeros(count)
        work = passes(scores, len(inputs), count, max_batch=max_batch, what="deletion", device=inputs.device)
        for image, step, score in work:
            found[step] += whole[image] - score
        return found.view(len(self.directions), -1)

    def edit(self, maps: Tensor, rows: Tensor, steps: Tensor) -> Tensor:
        """The layer's maps (M, K, u, v) without what each pass deletes."""
        concepts, draws = steps // (1 + len(self.orders)), steps % (1 + len(self.orders))
        there = maps.clamp(min=0)
        part = self.strengths[rows, concepts][:, None] * self.directions[concepts][:, :, None, None]
        part = torch.minimum(part.to(there), there)  # no more than there is
        for number in draws.nonzero()[:, 0].tolist():
            order = self.orders[draws[number] - 1]
            part[number] = _as_much(there[number], part[number].square().sum(), order)
        return maps - part


def _as_much(there: Tensor, squares: Tensor, order: Tensor) -> Tensor:
    """Of values (K, u, v) the channels that come first in an order, until their squares add up to so much."""
    own = there.square().sum((1, 2))[order]
    left = (squares - (own.cumsum(0) - own)).clamp(min=0)
    shares = torch.where(own > 0, (left / own.clamp(min=torch.finfo(own.dtype).tiny)).clamp(max=1), 0).sqrt()
    return there * torch.zeros_like(shares).scatter(0, order, shares)[:, None, None]
