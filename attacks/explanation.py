"""Pictures that look and are classified the same, but are explained differently (Dombrowski et al. 2019,
https://arxiv.org/abs/1906.07983; Ghorbani et al. 2019, https://arxiv.org/abs/1710.10547)."""

from collections.abc import Callable

import torch
from torch import Tensor

from .core.ascent import Model
from .core.ball import Ball
from .core.labels import labels_or_predictions
from .core.losses import logits_of
from .core.norms import columns
from .errors import AttackError

# How much more a drift of the log-probability weighs than the distance to the wanted map.
KEEPING = 10.0


def explanation(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    explain: Callable[[Tensor], Tensor],
    goal: Tensor,
    eps: float | Tensor = 8 / 255,
    steps: int = 200,
    step_size: float | None = None,
    tolerance: float = 0.05,
    quantize: bool = False,
) -> Tensor:
    """Move what an explanation shows, and nothing else (Dombrowski et al., eq. 4).

    Steps along the sign of the gradient, ever shorter, lower the distance of the map to the wanted one
    while the probability of the class is held. Kept is the nearest map among the points at which the
    prediction is what it was and its probability within the tolerance.

    Args:
        model: from images (N, ...) in [0, 1] to logits (N, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the classes that stay predicted; the model's own predictions by default.
        explain: from images to maps (N, ...), with a graph to the images.
        goal: the map that is wanted, (N, ...) of the maps' shape or one for all; only its shape counts,
            as of the maps: both are divided by the sum of their sizes.
        eps: radius of the Linf ball, one for all or (N,).
        steps: how many.
        step_size: length of the first step; a quarter of eps by default.
        tolerance: by how much the probability may change.
        quantize: whether results lie on the grid of an 8-bit file.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly; the images where nothing nearer was found.

    Raises:
        AttackError: images or labels that cannot be attacked, or an explanation without a graph.
    """
    ball = Ball.around(images, eps, quantize=quantize)
    labels = labels_or_predictions(model, images, labels)
    wanted = _shape_of(goal)
    length = ball.eps / 4 if step_size is None else torch.full_like(ball.eps, step_size)
    with torch.no_grad():
        held = logits_of(model, images).log_softmax(1).gather(1, labels[:, None])[:, 0]
    points = result = images.detach().clone()
    best = torch.full_like(held, torch.inf)
    for step in range(steps + 1):
        seen = ball.snap(points)
        distance, log_probability, same, gradient = _look(model, explain, seen, labels, wanted, held)
        kept = same & ((log_probability.exp() - held.exp()).abs() <= tolerance) & (distance < best)
        best = torch.where(kept, distance, best)
        result = torch.where(columns(kept, seen), seen, result)
        shorter = (length * (1 - step / (steps + 1))).to(points.dtype)
        points = ball.project(points - columns(shorter, points) * gradient.sign())
    return result


def _look(
    model: Model, explain: Callable[[Tensor], Tensor], seen: Tensor, labels: Tensor, wanted: Tensor, held: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(N,) distances of the maps, log-probabilities, whether the class is predicted; and where to go (N, ...)."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = seen.detach().clone().requires_grad_()
        maps = explain(leaf)
        if not maps.requires_grad:
            raise AttackError("the explanation has no graph to the picture; give the function that keeps it")
        distance = (_shape_of(maps) - wanted).flatten(1).square().sum(1) / wanted.flatten(1).square().sum(1)
        logits = logits_of(model, leaf)
        log_probability = logits.log_softmax(1).gather(1, labels[:, None])[:, 0]
        lowered = distance + KEEPING * (log_probability - held).square()
        gradient = torch.autograd.grad(lowered.sum(), leaf)[0]
    if not torch.isfinite(gradient).all():
        raise AttackError("the gradient of the explanation is not a number")
    return distance.detach(), log_probability.detach(), logits.detach().argmax(1) == labels, gradient


def _shape_of(maps: Tensor) -> Tensor:
    """Maps (N, ...) divided by the sum of their sizes."""
    return maps / columns(maps.flatten(1).abs().sum(1), maps).clamp_min(1e-12)
