"""What an attack achieved, sample by sample, found by asking the model again."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.losses import distance_to_boundary, fooled, logits_of
from ..core.norms import NORMS


@dataclass(frozen=True)
class Verdict:
    """One sample before and after an attack."""

    label: int  # the true class, or the one wanted
    right: bool  # whether the model was right before: with a wanted class, whether it saw another
    before: int  # the prediction for the clean sample
    before_probability: float
    after: int  # the prediction for the adversarial one
    after_probability: float
    success: bool  # fooled, though it was right before
    margin: float  # of the logits: how far the attack missed the boundary; below 0 by how much it is past
    l0: int  # how many values changed
    l1: float
    l2: float
    linf: float

    @property
    def levels(self) -> float:
        """The largest change in levels of an 8-bit file."""
        return self.linf * 255


class Counted:
    """A model that counts what it is asked: samples looked at, and those differentiated."""

    def __init__(self, model: Callable[[Tensor], Tensor]) -> None:
        self.model = model
        self.forwards = 0
        self.backwards = 0

    def __call__(self, points: Tensor) -> Tensor:
        """The model's logits (N, C)."""
        self.forwards += len(points)
        logits = self.model(points)
        if logits.requires_grad:
            logits.register_hook(lambda gradient: self._differentiated(len(gradient)))
        return logits

    def _differentiated(self, count: int) -> None:
        self.backwards += count


@torch.no_grad()
def judge(
    model: Callable[[Tensor], Tensor],
    images: Tensor,
    adversarial: Tensor,
    labels: Tensor,
    *,
    targeted: bool = False,
) -> list[Verdict]:
    """Ask the model what it sees in clean and in adversarial samples.

    Args:
        model: from images (N, ...) in [0, 1] to logits (N, C).
        images: (N, ...), the clean samples.
        adversarial: (N, ...), those attacked.
        labels: (N,) the true classes, or those wanted.
        targeted: whether the labels are the classes wanted.

    Returns:
        A verdict for each sample.

    Raises:
        AttackError: the model gives no finite logits.
    """
    clean, attacked = logits_of(model, images), logits_of(model, adversarial)
    before, after = clean.softmax(1).max(1), attacked.softmax(1).max(1)
    right = ~fooled(clean, labels, targeted)
    success = right & fooled(attacked, labels, targeted)
    delta = adversarial.cpu().double() - images.cpu().double()
    columns = {
        "label": labels,
        "right": right,
        "before": before.indices,
        "before_probability": before.values,
        "after": after.indices,
        "after_probability": after.values,
        "success": success,
        "margin": distance_to_boundary(attacked, labels, targeted),
        "l0": NORMS["L0"].size(delta).long(),
        "l1": NORMS["L1"].size(delta),
        "l2": NORMS["L2"].size(delta),
        "linf": NORMS["Linf"].size(delta),
    }
    lists = [column.tolist() for column in columns.values()]
    return [Verdict(*values) for values in zip(*lists, strict=True)]
