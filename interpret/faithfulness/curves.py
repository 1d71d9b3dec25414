"""What the metrics share: the order of the places, pictures with some of them replaced, and curves of scores."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..classifier import on_input_grid
from ..errors import InterpretError
from ..explainers.contract import check_pictures
from ..explainers.passes import passes
from ..network.hooks import left_as_found
from ..scores import Target, probability_or_score, target_of


@dataclass(frozen=True)
class Curve:
    """A score while more and more of a picture is replaced."""

    fractions: Tensor  # (steps + 1,) of the places, from 0 to 1
    scores: Tensor  # (N, steps + 1)

    @property
    def area(self) -> Tensor:
        """(N,) areas below the curves, by trapezoids."""
        return torch.trapezoid(self.scores, self.fractions.to(self.scores), dim=1)


def laid_on_inputs(classifier: nn.Module, images: Tensor, attribution: Tensor) -> tuple[nn.Module, Tensor, Tensor]:
    """The classifier for pictures on its input grid, and pictures and maps laid on it.

    Args:
        classifier: the classifier that was explained.
        images: (N, C, H, W), in [0, 1].
        attribution: (N, 1, H, W), one value a pixel of the images.

    Returns:
        The classifier, (N, C, h, w) inputs and (N, 1, h, w) maps.

    Raises:
        InterpretError: maps of another shape, or that are not finite.
    """
    check_pictures(images)
    wanted = (len(images), 1, *images.shape[2:])
    if tuple(attribution.shape) != wanted:
        raise InterpretError(
            f"these images need an attribution of shape {wanted}, not {tuple(attribution.shape)}; "
            "interpret.combined makes one value a pixel of several channels"
        )
    if not bool(torch.isfinite(attribution).all()):
        raise InterpretError("the attribution holds NaN or infinite values, which have no order")
    view, inputs, geometry = on_input_grid(classifier, images.detach())
    return view, inputs, geometry.apply(attribution.detach().to(images))


def ranks(maps: Tensor, seed: int = 0) -> Tensor:
    """Each place's rank by its value, the highest first.

    Equal values, such as the zeros that a ReLU leaves, are ranked at random: in reading order they
    would favour one edge of the picture.

    Args:
        maps: (N, 1, h, w).
        seed: of the order among equals, which is the same for every map.

    Returns:
        (N, 1, h, w) whole numbers from 0.
    """
    flat = maps.flatten(1)
    places = flat.shape[1]
    shuffled = torch.randperm(places, generator=torch.Generator().manual_seed(seed)).to(flat.device)
    order = shuffled[flat[:, shuffled].argsort(dim=1, descending=True, stable=True)]
    numbers = torch.arange(places, device=flat.device).expand_as(order)
    return torch.empty_like(order).scatter_(1, order, numbers).view(maps.shape)


def replacing(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    ranked: Tensor,
    end: Tensor,
    *,
    steps: int,
    max_batch: int,
    what: str,
) -> Curve:
    """The score while the places of a picture are replaced, those of the lowest rank numbers first.

    Args:
        classifier: takes ``images`` to logits.
        images: (N, C, h, w) on the network's input grid, where the curve begins.
        target: the class whose softmax probability is the score, or a score.
        ranked: (N, 1, h, w), as ``ranks`` gives them.
        end: (N, C, h, w), where it ends.
        steps: points of the curve after the first.
        max_batch: passes at once.
        what: the name on the progress bar.

    Returns:
        The curve.
    """
    if steps < 1:
        raise InterpretError(f"a curve needs at least one step, not {steps}")
    fractions = torch.arange(steps + 1, dtype=torch.float64) / steps
    counts = (fractions * ranked[0].numel()).round().long().to(images.device)

    def run(rows: Tensor, numbers: Tensor) -> Tensor:
        replaced = ranked[rows] < counts[numbers].view(-1, 1, 1, 1)
        mixed = torch.where(replaced, end[rows], images[rows])
        return probability_or_score(classifier, mixed, target_of(target, rows))

    with left_as_found(classifier, images.device), torch.no_grad():
        scores = images.new_zeros(len(images), steps + 1)
        work = passes(run, len(images), steps + 1, max_batch=max_batch, what=what, device=images.device)
        for row, number, score in work:
            scores[row, number] = score
    return Curve(fractions, scores)
