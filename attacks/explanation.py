"""Images that look and are classified the same, but are explained differently (Dombrowski et al. 2019,
https://arxiv.org/abs/1906.07983; Ghorbani et al. 2019, https://arxiv.org/abs/1710.10547)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .core.ball import Ball
from .core.contract import attack
from .core.labels import labels_or_predictions
from .core.losses import label_logits
from .core.model import Model, logits_of
from .core.norms import batch_view
from .errors import AttackError

PENALTY = 10.0  # weight of a change of the log-probability, against the distance to the goal


@attack
@torch.inference_mode(False)  # in it nothing could be differentiated
@torch.no_grad()
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
    """Change what an explanation shows, and nothing else (Dombrowski et al., eq. 4).

    Steps along the sign of the gradient, ever shorter, lower the distance of the map to a goal while they hold the
    probability of the class. Of the points with the same prediction and a probability within the tolerance, the one
    with the nearest map is kept.

    Args:
        model: from images (N, ...) in [0, 1] to logits (N, C).
        images: (N, ...) in [0, 1].
        labels: (N,) the classes that stay predicted; by default the model's own predictions.
        explain: from images to maps (N, ...), with a graph to the images.
        goal: the map to approach, (N, ...) of the shape of the maps or one for all. Its scale does not matter: maps and
            goal are divided by the sum of their sizes.
        eps: the largest change of a value: one for all samples, or (N,).
        steps: number of steps.
        step_size: length of the first step; by default a quarter of eps.
        tolerance: by how much the probability may change.
        quantize: whether results consist of levels of an 8-bit file.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly; the images where nothing nearer was found.

    Raises:
        AttackError: images or labels that are not valid, or an explanation without a graph.
    """
    ball = Ball.around(images, eps, quantize=quantize)
    labels = labels_or_predictions(model, images, labels).clone()
    length = ball.eps / 4 if step_size is None else torch.full_like(ball.eps, step_size)
    clean = label_logits(logits_of(model, images).log_softmax(1), labels)
    search = _ExplanationSearch(model, explain, labels, _normalised(goal), clean)
    points = result = images.detach().clone()
    best = torch.full_like(clean, torch.inf)
    for step in range(steps + 1):
        queried = ball.quantized(points)
        distance, log_probability, same, gradient = search.evaluate(queried)
        within = (log_probability.exp() - clean.exp()).abs() <= tolerance
        better = same & within & (distance < best)
        best = torch.where(better, distance, best)
        result = torch.where(batch_view(better, queried), queried, result)
        shrunk = (length * (1 - step / (steps + 1))).to(points.dtype)
        points = ball.project(points - batch_view(shrunk, points) * gradient.sign())
    return result


@dataclass(frozen=True)
class _ExplanationSearch:
    model: Model
    explain: Callable[[Tensor], Tensor]
    labels: Tensor  # (N,)
    goal: Tensor  # (N, ...) or (1, ...), normalised
    clean: Tensor  # (N,) the log-probabilities of the labels in the clean images

    def evaluate(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(N,) distances of the maps to the goal, log-probabilities of the labels and whether they are predicted, and
        the gradient (N, ...) of what is lowered (eq. 4).
        """
        with torch.enable_grad():
            leaf = points.detach().clone().requires_grad_()
            maps = self.explain(leaf)
            if not maps.requires_grad:
                raise AttackError("the explanation has no graph to the picture; give the function that keeps it")
            logits = logits_of(self.model, leaf)
            if not logits.requires_grad:
                raise AttackError("the model's logits do not depend on its input by a gradient, so nothing holds them")
            difference = (_normalised(maps) - self.goal).flatten(1)
            distance = difference.square().sum(1) / self.goal.flatten(1).square().sum(1)
            log_probability = label_logits(logits.log_softmax(1), self.labels)
            lowered = distance + PENALTY * (log_probability - self.clean).square()
            gradient = torch.autograd.grad(lowered.sum(), leaf)[0]
        if not torch.isfinite(gradient).all():
            raise AttackError("the gradient of the explanation is not a number")
        return distance.detach(), log_probability.detach(), logits.detach().argmax(1) == self.labels, gradient


def _normalised(maps: Tensor) -> Tensor:
    """Maps (N, ...) divided by the sum of their sizes."""
    return maps / batch_view(maps.flatten(1).abs().sum(1), maps).clamp_min(1e-12)
