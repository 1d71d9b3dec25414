"""DeepFool (Moosavi-Dezfooli et al. 2016, https://arxiv.org/abs/1511.04599)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .core.ball import movable
from .core.contract import attack
from .core.labels import likeliest_wrong
from .core.losses import is_fooled, label_logits, margin
from .core.minimum_norm import MinimumNormState, minimum_norm
from .core.model import Model, finite, input_gradient, logits_of, warn_if_vanished
from .core.norms import batch_view, norm_named
from .norm_names import norm_name


@attack
def deepfool(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    norm: str = "L2",
    steps: int = 50,
    overshoot: float = 0.02,
    candidates: int = 10,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Step to the nearest boundary of the linearised model, until a boundary is crossed.

    Every step leads to the nearest of the hyperplanes that separate the label from other classes (algorithm 2; section
    3.3 for Linf). The adversarial image is the sum of all steps, and a little more.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        norm: norm in which the nearest boundary is measured, "L2" or "Linf".
        steps: largest number of steps.
        overshoot: by which share of the whole perturbation the boundary is overstepped (eta).
        candidates: number of other classes, the likeliest at first, whose boundaries are considered.
        targeted: whether the labels are the classes to reach; steps then lead to the boundary of the present
            prediction.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.

    Returns:
        (N, ...) in [0, 1]; the clean images where they fool by themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm, ("L2", "Linf"), "DeepFool")
    search = _DeepFool(model, targeted, norm, steps, overshoot, candidates)
    return minimum_norm(search, images, labels, quantize=quantize, batch_size=batch_size)


@dataclass
class _DeepFoolState(MinimumNormState):
    candidates: Tensor  # (n, K) classes
    delta: Tensor  # (n, ...) the sum of all steps
    taken: Tensor  # (n,) steps


@dataclass
class _DeepFool:
    model: Model
    targeted: bool
    norm: str
    steps: int
    overshoot: float  # eta
    candidates: int

    def begin(self, samples: MinimumNormState) -> _DeepFoolState:
        return _DeepFoolState(
            **vars(samples),
            candidates=likeliest_wrong(samples.logits, samples.labels, self.candidates),
            delta=torch.zeros_like(samples.images),
            taken=torch.zeros_like(samples.labels),
        )

    def step(self, state: _DeepFoolState) -> Tensor:
        points = (state.images + (1 + self.overshoot) * state.delta).clamp(0, 1)
        with torch.enable_grad():
            leaf = points.detach().clone().requires_grad_()
            logits = logits_of(self.model, leaf)
            fooled = is_fooled(logits, state.labels, self.targeted)
            state.keep_nearest(points, fooled, self.norm)
            over = fooled | (state.taken == self.steps)
            if over.all():
                return over
            # The full length in the directions that are left may lead past a nearer point; so this is for long ways.
            slow = state.taken >= self.steps // 2
            step, direction = self.to_nearest_boundary(self.gaps(logits, state), leaf, ~over, slow)
        # Steps that the box cuts short would come ever nearer to the boundary without crossing it.
        further = batch_view(norm_named(self.norm).size(state.delta), step) * direction
        step = step + 1e-3 * state.delta + 3e-4 * further
        state.delta = (state.images + state.delta + step).clamp(0, 1) - state.images
        state.taken = state.taken + 1
        return over

    def gaps(self, logits: Tensor, state: _DeepFoolState) -> list[Tensor]:
        """(n,) the logits that are missing to the boundary, for each candidate."""
        if self.targeted:
            return [margin(logits, state.labels)]
        label = label_logits(logits, state.labels)
        return [label - label_logits(logits, candidate) for candidate in state.candidates.unbind(1)]

    def to_nearest_boundary(
        self, gaps: list[Tensor], leaf: Tensor, unsolved: Tensor, slow: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(n, ...) the smallest step after which the linearised model closes one of the gaps (eq. 8 and 9), and its
        direction; where ``slow`` (n,) it is made without the values that are at the ends of the box already.
        """
        steepest = norm_named(self.norm).steepest
        nearest, total = torch.full_like(gaps[0], torch.inf), torch.zeros_like(leaf)
        step = chosen = torch.zeros_like(leaf)
        for gap in gaps:
            gradient = finite(input_gradient(-gap, leaf, retain_graph=True))
            total = total + gradient.abs()
            gradient = torch.where(batch_view(slow, leaf), movable(gradient, leaf), gradient)
            direction = steepest(gradient)
            steepness = (gradient * direction).flatten(1).sum(1)  # the dual norm of the gradient
            distance = torch.where(steepness > 0, gap.abs() / steepness, torch.inf).detach()
            nearer = distance < nearest
            nearest = torch.where(nearer, distance, nearest)
            step = torch.where(batch_view(nearer, step), direction * batch_view(distance, step), step)
            chosen = torch.where(batch_view(nearer, step), direction, chosen)
        warn_if_vanished(total, unsolved)
        return step, chosen
