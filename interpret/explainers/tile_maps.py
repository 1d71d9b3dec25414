"""Maps of pictures that the network sees in overlapping tiles: those of each tile, laid together."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..classifier import Classifier
from ..errors import InterpretError
from ..scores import Target, target_of


def in_tiles(classifier: nn.Module) -> bool:
    """Whether a classifier's network sees pictures in tiles, where they are larger than one."""
    return isinstance(classifier, Classifier) and classifier.crop == "tiles"


def as_seen(classifier: nn.Module, inputs: Tensor) -> tuple[nn.Module, Tensor]:
    """A classifier and inputs on its input grid as its network sees them: those of tiles, where it sees tiles."""
    if not in_tiles(classifier) or inputs.dim() != 4:
        return classifier, inputs
    tiles = classifier.tiles_of(inputs)
    return classifier.on_tiles(), inputs if tiles is None else tiles.cut(inputs)


def by_tile(core: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function ``(classifier, inputs, target, *, options) -> maps`` of which every tile is explained by itself.

    Each tile's score is that of the same target, so that the values of all tiles have one unit and one scale.
    """

    @functools.wraps(core)
    def explain(classifier: nn.Module, inputs: Tensor, target: Target, **options: Any) -> Tensor:
        view, seen = as_seen(classifier, inputs)
        if seen is inputs:
            return core(view, inputs, target, **options)
        tiles = classifier.tiles_of(inputs)
        rows = torch.arange(len(inputs), device=inputs.device).repeat_interleave(len(tiles.corners))
        return tiles.joined(core(view, seen, target_of(target, rows), **options))

    return explain


def check_no_places(target: Target) -> None:
    """Refuse a score of places of the picture, which no single tile sees as they are."""
    if hasattr(target, "laid_on") or getattr(target, "place", None) is not None:
        kind = type(target).__name__
        raise InterpretError(
            f"a score of places ({kind}) needs the picture in one piece: crop it by 'centre' or 'none'"
        )
    for part in (*(getattr(target, name, 0) for name in ("target", "versus")), *getattr(target, "targets", ())):
        if callable(part):
            check_no_places(part)
