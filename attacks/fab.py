"""The fast adaptive boundary attack (Croce and Hein 2020, https://arxiv.org/abs/1907.02044)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .core.contract import attack
from .core.hyperplane import DUAL_NORM, step_onto_plane
from .core.labels import likeliest_wrong
from .core.losses import is_fooled, label_logits, margin
from .core.minimum_norm import MinimumNormState, minimum_norm
from .core.model import Model, finite, input_gradient, logits_of, value_and_gradient, warn_if_vanished
from .core.norms import batch_view, norm_named, positive
from .errors import AttackError
from .norm_names import norm_name

OVERSHOOT = 1.05  # eta: how far beyond the linearised boundary to step
MAX_PULL = 0.1  # alpha_max: the largest share of the step that starts from the clean image
BACK = 0.9  # beta: where to go on between the clean image and a point that fools


@attack
def fab(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    norm: str = "L2",
    steps: int = 100,
    target_classes: int = 0,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """The smallest change that fools, by steps onto the linearised boundary that are drawn to the clean image.

    Each step is a mean of two projections onto the same plane within the box, of the present point and of the clean
    image (eq. 8 and 9). A point that fools is pulled back towards the clean image (eq. 10), and the search goes on from
    there. Without ``target_classes``, a step takes a gradient for every class, which is expensive with a thousand.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        norm: what is made small: "Linf" the largest change of a value, or "L2" the root of the sum of squares.
        steps: number of steps of each run.
        target_classes: aim at so many of the likeliest wrong classes, each in a run of its own (FAB-T); 0 aims at the
            nearest class at every step.
        targeted: whether the labels are the classes to reach.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.

    Returns:
        (N, ...) in [0, 1]: the nearest of all points that fooled; the clean images where they fool by themselves or
        nothing was found.

    Raises:
        AttackError: images, labels or settings that are not valid, or gradients that are not numbers.
    """
    norm = norm_name(norm, DUAL_NORM, "FAB")
    if target_classes and targeted:
        raise AttackError("with target_classes, the targets follow from the model; leave targeted out")
    search = FAB(model, norm, steps, target_classes, targeted)
    return minimum_norm(search, images, labels, quantize=quantize, batch_size=batch_size)


@dataclass
class _FABState(MinimumNormState):
    radius: Tensor  # (n,) within which a point that fools ends the search
    targets: Tensor | None  # (n, K) wrong classes, each for a run of its own; None for the nearest at every step
    points: Tensor  # (n, ...)
    taken: Tensor  # (n,) steps of this run
    runs: Tensor  # (n,) that have ended


@dataclass
class FAB:
    """The search for samples that are not fooled as they are; AutoAttack ends it within a radius (N,)."""

    model: Model
    norm: str
    steps: int
    target_classes: int
    targeted: bool = False
    radius: Tensor | None = None

    def begin(self, samples: MinimumNormState) -> _FABState:
        targets = likeliest_wrong(samples.logits, samples.labels, self.target_classes) if self.target_classes else None
        radius = torch.zeros_like(samples.distance) if self.radius is None else self.radius[samples.numbers]
        radius, zeros = radius.to(samples.distance.dtype), torch.zeros_like(samples.labels)
        return _FABState(
            **vars(samples), radius=radius, targets=targets, points=samples.images, taken=zeros, runs=zeros
        )

    def step(self, state: _FABState) -> Tensor:
        lead, normal = self.boundary(state)
        warn_if_vanished(normal, state.distance.isinf())
        moved = self.projected(state, lead, normal)
        fooled = is_fooled(logits_of(self.model, moved), state.labels, self.targeted)
        state.keep_nearest(moved, fooled, self.norm)
        back = state.images + BACK * (moved - state.images)  # eq. 10
        state.points = torch.where(batch_view(fooled, moved), back, moved)
        state.taken = state.taken + 1
        ended = state.taken == self.steps
        state.points = torch.where(batch_view(ended, moved), state.images, state.points)
        state.taken, state.runs = torch.where(ended, 0, state.taken), state.runs + ended
        all_runs = 1 if state.targets is None else state.targets.shape[1]
        return (state.distance <= state.radius) | (state.runs == all_runs)

    def boundary(self, state: _FABState) -> tuple[Tensor, Tensor]:
        """The linearised boundary: (n,) by how much a wrong class leads, and the gradient (n, ...) of this lead."""
        if state.targets is None and not self.targeted:
            return self.nearest_boundary(state)

        def lead(logits: Tensor, labels: Tensor) -> Tensor:
            if self.targeted:
                return -margin(logits, labels)
            target = state.targets.gather(1, state.runs[:, None])[:, 0]
            return label_logits(logits, target) - label_logits(logits, labels)

        return value_and_gradient(self.model, state.points, lead, state.labels)[1:]

    def nearest_boundary(self, state: _FABState) -> tuple[Tensor, Tensor]:
        """Of the boundaries to all other classes, the nearest (eq. 7)."""
        with torch.enable_grad():
            leaf = state.points.detach().clone().requires_grad_()
            logits = logits_of(self.model, leaf)
            leads = logits - label_logits(logits, state.labels)[:, None]
            columns = (leads[:, number] for number in range(leads.shape[1]))
            normals = torch.stack([input_gradient(lead, leaf, retain_graph=True) for lead in columns], 1)
        finite(normals)
        leads = leads.detach()
        sizes = DUAL_NORM[self.norm](normals.flatten(0, 1)).view_as(leads)
        distances = (leads.abs() / positive(sizes)).scatter(1, state.labels[:, None], torch.inf)
        nearest, rows = distances.argmin(1), torch.arange(len(leads), device=leads.device)
        return leads[rows, nearest], normals[rows, nearest]

    def projected(self, state: _FABState, lead: Tensor, normal: Tensor) -> Tensor:
        """The next points (n, ...): beyond the plane, between its projections from the points and the clean images."""
        size = norm_named(self.norm).size
        from_clean = (normal * (state.points - state.images)).flatten(1).sum(1)
        step = step_onto_plane(state.points, normal, -lead, self.norm)
        clean_step = step_onto_plane(state.images, normal, from_clean - lead, self.norm)
        length, clean_length = (size(delta).clamp_min(1e-8) for delta in (step, clean_step))
        pull = batch_view((length / (length + clean_length)).clamp_max(MAX_PULL), step)  # eq. 9
        moved = (1 - pull) * (state.points + OVERSHOOT * step) + pull * (state.images + OVERSHOOT * clean_step)
        return moved.clamp(0, 1)
