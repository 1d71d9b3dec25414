"""What an attack has achieved, sample by sample: found by asking the model again."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.losses import distance_to_boundary, is_fooled
from ..core.model import Model, logits_of
from ..core.norms import NORMS


@dataclass(frozen=True)
class Verdict:
    """One sample before and after an attack."""

    label: int  # the true class, or the target
    right: bool  # whether there was something to fool: the model predicted the true class, or not yet the target
    before: int  # the prediction for the clean sample
    before_probability: float
    after: int  # the prediction for the adversarial one
    after_probability: float
    success: bool  # whether the model is fooled, and was not before
    margin: float  # the logits that are missing to the boundary; below 0 where it is crossed
    l0: int  # how many values changed
    l1: float
    l2: float
    linf: float

    @property
    def levels(self) -> float:
        """The largest change in levels of an 8-bit file."""
        return self.linf * 255


class CountedModel:
    """A model that counts the samples that pass forward and backward through it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.forwards = 0
        self.backwards = 0

    def __call__(self, points: Tensor) -> Tensor:
        """The model's logits (N, C)."""
        self.forwards += len(points)
        logits = self.model(points)
        self.task = getattr(self.model, "task", "classification")
        if logits.requires_grad:
            logits.register_hook(self._count_backward)
        return logits

    def _count_backward(self, gradient: Tensor) -> None:
        self.backwards += len(gradient)


@torch.no_grad()
def judge(
    model: Model, images: Tensor, adversarial: Tensor, labels: Tensor, *, targeted: bool = False
) -> list[Verdict]:
    """A verdict for each sample, from the model's predictions for clean images (N, ...) and adversarial ones.

    The labels (N,) are the true classes, or with ``targeted`` the targets.
    """
    clean, attacked = logits_of(model, images), logits_of(model, adversarial)
    before, after = clean.softmax(1).max(1), attacked.softmax(1).max(1)
    right = ~is_fooled(clean, labels, targeted)
    success = right & is_fooled(attacked, labels, targeted)
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
