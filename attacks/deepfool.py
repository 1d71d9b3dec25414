"""DeepFool (Moosavi-Dezfooli et al. 2016, https://arxiv.org/abs/1511.04599)."""

import torch
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.losses import fooled, logits_of, margin, of, others, warn_of_vanished
from .core.minimum_norm import least
from .core.norms import columns, norm_named
from .errors import AttackError


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

    Every step goes to the nearest of the hyperplanes that separate the label from other classes
    (algorithm 2; section 3.3 for Linf). What is looked at, and given, is the sum of all steps, a
    little overshot.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        norm: "L2" or "Linf": in which boundaries are near.
        steps: at most.
        overshoot: by how much of the whole perturbation the boundary is crossed (eta).
        candidates: to how many other classes, the likeliest at first, the boundary is looked for.
        targeted: whether the labels are the classes wanted; then steps lead to the boundary of the class seen.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.

    Returns:
        (N, ...) in [0, 1]; clean pictures where they fool by themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that cannot be attacked, or gradients that are not numbers.
    """
    if norm not in ("L2", "Linf"):
        raise AttackError(f"DeepFool knows the norms L2 and Linf, not {norm!r}")
    if steps < 1 or candidates < 1:
        raise AttackError(f"DeepFool takes a step or more, to a candidate or more, not {steps} and {candidates}")

    def attack(images: Tensor, labels: Tensor, logits: Tensor, places: Tensor) -> Tensor:
        rivals = others(logits, labels).topk(min(candidates, logits.shape[1] - 1), dim=1).indices

        def begin(numbers: Tensor) -> Rows:
            chosen = numbers.to(labels.device)
            clean = images[chosen]
            return Rows(
                images=clean,
                labels=labels[chosen],
                rivals=rivals[chosen],
                delta=torch.zeros_like(clean),
                taken=torch.zeros_like(labels[chosen]),
                result=clean,
            )

        def step(now: Rows) -> Tensor:
            points = (now.images + (1 + overshoot) * now.delta).clamp(0, 1)
            with torch.enable_grad():
                leaf = points.detach().clone().requires_grad_()
                logits = logits_of(model, leaf)
                hit = fooled(logits, now.labels, targeted)
                over = hit | (now.taken == steps)
                now.result = torch.where(columns(hit, points), points, now.result)
                if over.all():
                    return over
                move = _to_nearest(_gaps(logits, now, targeted), leaf, norm, ~over)
                # Steps that the box cuts short would come ever nearer to the boundary and not cross it.
                move = move + 1e-3 * now.delta
                now.delta = (now.images + now.delta + move).clamp(0, 1) - now.images
            now.taken = now.taken + 1
            return over

        return work_off(len(labels), begin, step, batch_size=batch_size)

    return least(model, images, labels, attack, targeted=targeted, quantize=quantize, batch_size=batch_size)


def _gaps(logits: Tensor, now: Rows, targeted: bool) -> list[Tensor]:
    """For each candidate the (n,) logits by which it is behind."""
    if targeted:
        return [margin(logits, now.labels)]
    return [of(logits, now.labels) - of(logits, rival) for rival in now.rivals.unbind(1)]


def _to_nearest(gaps: list[Tensor], leaf: Tensor, norm: str, still: Tensor) -> Tensor:
    """(n, ...) the least step after which the linearised model closes one of the gaps (eq. 8 and 9 of the paper)."""
    if not gaps[0].requires_grad:
        raise AttackError("the model's logits do not depend on its input by a gradient; use square or one_pixel")
    steepest = norm_named(norm).steepest
    nearest, move, blind = torch.full_like(gaps[0], torch.inf), torch.zeros_like(leaf), torch.zeros_like(leaf)
    for gap in gaps:
        gradient = torch.autograd.grad(-gap.sum(), leaf, retain_graph=True, allow_unused=True)[0]
        gradient = torch.zeros_like(leaf) if gradient is None else gradient
        if not torch.isfinite(gradient).all():
            raise AttackError("the gradient is not a number; the model has an operation without a proper derivative")
        blind = blind + gradient.abs()
        direction = steepest(gradient)
        slope = (gradient * direction).flatten(1).sum(1)  # the dual norm of the gradient
        distance = torch.where(slope > 0, gap.abs() / slope, torch.inf).detach()
        nearer = distance < nearest
        nearest = torch.where(nearer, distance, nearest)
        move = torch.where(columns(nearer, move), direction * columns(distance, move), move)
    warn_of_vanished(blind, still)
    return move
