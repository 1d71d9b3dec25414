"""The fast adaptive boundary attack (Croce and Hein 2020, https://arxiv.org/abs/1907.02044)."""

import torch
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.hyperplane import DUAL, onto_plane
from .core.labels import wrong_classes
from .core.losses import fooled, logits_of, margin, of, slope, warn_of_vanished
from .core.minimum_norm import keep_nearest, least
from .core.norms import columns, norm_named
from .errors import AttackError

OVERSHOOT = 1.05  # eta: how far beyond the linear boundary to step
PULL = 0.1  # alpha_max: the largest share of the step that starts from the clean picture
BACK = 0.9  # beta: where to go on between the clean picture and a point that fools


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
    """The least change that fools, by steps onto the linearised boundary that are drawn to the clean picture.

    Each step is a mean of two projections onto the same plane within the box, from where the attack
    is and from the clean picture (eq. 8 and 9); what fools is pulled back towards the clean picture
    (eq. 10), and the search goes on from there.

    Without ``target_classes`` a step takes a gradient for every class, which is much for a thousand.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        norm: "Linf" or "L2".
        steps: in each run.
        target_classes: go for so many of the likeliest wrong classes in turn, each in a run of its own (FAB-T);
            0 goes for the nearest class at every step.
        targeted: whether the labels are the classes wanted.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.

    Returns:
        (N, ...) in [0, 1]: the nearest that fools; clean pictures where they fool by themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    _check(norm, steps, target_classes, targeted)

    def attack(images: Tensor, labels: Tensor, logits: Tensor, _: Tensor) -> Tensor:
        aims = wrong_classes(logits, labels, target_classes) if target_classes else None
        nothing = torch.zeros(len(images), dtype=images.dtype, device=images.device)
        return cross(
            model, images, labels, aims, nothing, norm=norm, steps=steps, targeted=targeted, batch_size=batch_size
        )

    return least(model, images, labels, attack, targeted=targeted, quantize=quantize, batch_size=batch_size)


def cross(
    model: Model,
    images: Tensor,
    labels: Tensor,
    aims: Tensor | None,
    radius: Tensor,
    *,
    norm: str,
    steps: int,
    targeted: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """The attack on samples that are not fooled as they are.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted.
        aims: (N, K) wrong classes to go for, each in a run of its own; or none, to go for the nearest.
        radius: (N,) within which a sample that is fooled is left alone.
        norm: "Linf" or "L2".
        steps: in each run.
        targeted: whether the labels are the classes wanted.
        batch_size: how many samples are worked on at a time.

    Returns:
        (N, ...) in [0, 1]: the nearest that fools, or the clean image.
    """
    runs = 1 if aims is None else aims.shape[1]

    def begin(numbers: Tensor) -> Rows:
        chosen = numbers.to(labels.device)
        clean = images[chosen]
        return Rows(
            images=clean,
            labels=labels[chosen],
            aims=None if aims is None else aims[chosen],
            radius=radius[chosen].to(clean.dtype),
            points=clean,
            best=torch.full_like(radius[chosen], torch.inf, dtype=clean.dtype),
            result=clean,
            taken=torch.zeros_like(chosen),
            begun=torch.zeros_like(chosen),
        )

    def step(now: Rows) -> Tensor:
        gap, normal = _plane(model, now, norm, targeted)
        warn_of_vanished(normal, now.best.isinf())
        moved = _towards(now, gap, normal, norm)
        with torch.no_grad():
            hit = fooled(logits_of(model, moved), now.labels, targeted)
        keep_nearest(now, moved, hit, norm)
        now.points = torch.where(columns(hit, moved), now.images + BACK * (moved - now.images), moved)  # eq. 10
        now.taken = now.taken + 1
        over = now.taken == steps
        now.points = torch.where(columns(over, moved), now.images, now.points)
        now.taken = torch.where(over, 0, now.taken)
        now.begun = now.begun + over
        return (now.best <= now.radius) | (now.begun == runs)

    return work_off(len(labels), begin, step, batch_size=batch_size)


def _check(norm: str, steps: int, target_classes: int, targeted: bool) -> None:
    if norm not in DUAL:
        raise AttackError(f"FAB knows {' and '.join(DUAL)}, not {norm!r}")
    if steps < 1 or target_classes < 0:
        raise AttackError(f"steps are 1 or more, and target classes 0 or more, not {steps} and {target_classes}")
    if target_classes and targeted:
        raise AttackError("with target_classes, the classes wanted follow; leave targeted out")


def _plane(model: Model, now: Rows, norm: str, targeted: bool) -> tuple[Tensor, Tensor]:
    """The linearised boundary: (n,) by how much a wrong class leads, and the gradient (n, ...) of that."""
    if targeted:
        return slope(model, now.points, lambda logits: -margin(logits, now.labels))[1:]
    if now.aims is not None:
        wanted = now.aims.gather(1, now.begun[:, None])[:, 0]
        return slope(model, now.points, lambda logits: of(logits, wanted) - of(logits, now.labels))[1:]
    return _nearest_plane(model, now.points, now.labels, norm)


def _nearest_plane(model: Model, points: Tensor, labels: Tensor, norm: str) -> tuple[Tensor, Tensor]:
    """Of the boundaries to all other classes, that which is nearest (eq. 7)."""
    with torch.enable_grad():
        leaf = points.detach().clone().requires_grad_()
        logits = logits_of(model, leaf)
        gaps = logits - of(logits, labels)[:, None]
        if not gaps.requires_grad:
            raise AttackError("the model's logits do not depend on its input by a gradient; use square or one_pixel")
        normals = torch.stack(
            [torch.autograd.grad(gaps[:, one].sum(), leaf, retain_graph=True)[0] for one in range(gaps.shape[1])], 1
        )
    if not torch.isfinite(normals.flatten(1).abs().amax(1)).all():
        raise AttackError("the gradient is not a number; the model has an operation without a proper derivative there")
    gaps = gaps.detach()
    sizes = DUAL[norm](normals.flatten(0, 1)).view_as(gaps)
    distances = gaps.abs() / sizes.clamp_min(torch.finfo(gaps.dtype).tiny)
    nearest = distances.scatter(1, labels[:, None], torch.inf).argmin(1)
    rows = torch.arange(len(labels), device=labels.device)
    return gaps[rows, nearest], normals[rows, nearest]


def _towards(now: Rows, gap: Tensor, normal: Tensor, norm: str) -> Tensor:
    """The next point (n, ...): beyond the plane, between its projections from here and from the clean images."""
    size = norm_named(norm).size
    so_far = (normal * (now.points - now.images)).flatten(1).sum(1)
    here = onto_plane(now.points, normal, -gap, norm)
    clean = onto_plane(now.images, normal, so_far - gap, norm)
    ways = [size(way).clamp_min(1e-8) for way in (here, clean)]
    share = columns((ways[0] / (ways[0] + ways[1])).clamp_max(PULL), here)  # eq. 9
    moved = (1 - share) * (now.points + OVERSHOOT * here) + share * (now.images + OVERSHOOT * clean)
    return moved.clamp(0, 1)
