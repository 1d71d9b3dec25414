"""Pixels that a model does not see, such as those that its crop cuts off: what a random start did there is undone."""

from typing import Any

import torch
from torch import Tensor

from .losses import is_fooled
from .model import logits_of
from .norms import batch_view


def undo_unseen(search: Any, state: Any, done: Tensor) -> None:
    """Give results (n, ...) the values of the images where no gradient was ever other than zero (``state.seen``).

    It is done for the samples of a mask (n,). One that fools, and would not without this change, keeps it: where an
    activation was off all the way, the gradient has missed something.
    """
    images, found = state.ball.images, state.result
    cleaned = torch.where(state.seen, found, images)
    chosen = done & (cleaned != found).flatten(1).any(1)
    if not chosen.any():
        return
    before, after, labels = found[chosen], cleaned[chosen], state.labels[chosen]
    needed = ~is_fooled(logits_of(search.model, after), labels, search.targeted)
    if needed.any():
        needed = needed & is_fooled(logits_of(search.model, before), labels, search.targeted)
    state.result = found.index_put((chosen,), torch.where(batch_view(needed, after), before, after))
