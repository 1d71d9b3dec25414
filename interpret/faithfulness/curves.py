"""What the metrics share: ranks of pixels, pictures in which some of them are replaced, and curves of scores."""

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
    """The score of each picture while more and more of it is replaced."""

    fractions: Tensor  # (steps + 1,) of the pixels, from 0 to 1
    scores: Tensor  # (N, steps + 1)

    @property
    def area(self) -> Tensor:
        """(N,) areas below the curves, by trapezoids."""
        return torch.trapezoid(self.scores, self.fractions.to(self.scores), dim=1)


def laid_on_inputs(classifier: nn.Module, images: Tensor, attribution: Tensor) -> tuple[nn.Module, Tensor, Tensor]:
    """The classifier for inputs, and inputs (N, C, h, w) and maps (N, 1, h, w) on its input grid.

    They come from images (N, C, H, W) in [0, 1] and attributions (N, 1, H, W). Attributions of another shape, or with
    values that are not finite, are an InterpretError.
    """
    check_pictures(images)
    shape = (len(images), 1, *images.shape[2:])
    if tuple(attribution.shape) != shape:
        raise InterpretError(
            f"these images need an attribution of shape {shape}, not {tuple(attribution.shape)}; "
            "interpret.combined makes one value a pixel of several channels"
        )
    if not bool(torch.isfinite(attribution).all()):
        raise InterpretError("the attribution holds NaN or infinite values, which have no order")
    view, inputs, geometry = on_input_grid(classifier, images.detach())
    return view, inputs, geometry.apply(attribution.detach().to(images))


def ranks(maps: Tensor, seed: int = 0) -> Tensor:
    """(N, 1, h, w) the rank of each pixel by its value in maps of this shape; the highest value has rank 0.

    Equal values, such as the zeros that a ReLU leaves, are ranked at random, in the same order in every map. In reading
    order they would favour one edge of the picture.
    """
    flat = maps.flatten(1)
    pixels = flat.shape[1]
    shuffled = torch.randperm(pixels, generator=torch.Generator().manual_seed(seed)).to(flat.device)
    order = shuffled[flat[:, shuffled].argsort(dim=1, descending=True, stable=True)]
    numbers = torch.arange(pixels, device=flat.device).expand_as(order)
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
    """The curve from pictures (N, C, h, w) on the input grid to ``end`` of the same shape, in so many steps.

    Pixels are replaced in the order of their ranks (N, 1, h, w). The score is the probability of the target
    class, or the target where that is a score itself. ``what`` is the name on the progress bar.
    """
    fractions = _fractions(steps)
    options = {"max_batch": max_batch, "what": what}
    return Curve(fractions, _scores(classifier, images, target, (ranked, end, fractions), **options))


def both_curves(
    classifier: nn.Module,
    image: Tensor,
    target: Target,
    maps: Tensor,
    end: Tensor,
    *,
    steps: int,
    seed: int = 0,
    max_batch: int = 8,
) -> tuple[Curve, Curve]:
    """The curves of deletion and insertion of M maps (M, 1, h, w) of one picture (1, C, h, w) on the input grid.

    ``end`` (1, C, h, w) is what all of the picture is replaced by, the same for both. The curves begin and end with
    the same two pictures, which the network sees once.
    """
    fractions, count = _fractions(steps), len(maps)
    ranked = ranks(maps, seed)
    whole, gone = image.expand(count, *image.shape[1:]), end.expand(count, *image.shape[1:])
    first = torch.zeros(2 * count, dtype=torch.long, device=image.device)  # there is one picture
    replaced_by = torch.cat([ranked] * 2), torch.cat([gone, whole]), fractions[1:-1]
    pictures = torch.cat([whole, gone]), target_of(target, first), replaced_by
    with left_as_found(classifier, image.device), torch.no_grad():
        seen, hidden = probability_or_score(classifier, torch.cat([image, end]), target_of(target, first[:2]))
    scores = image.new_empty(2 * count, steps + 1)
    scores[:count, 0] = scores[count:, -1] = seen
    scores[count:, 0] = scores[:count, -1] = hidden
    if steps > 1:
        scores[:, 1:-1] = _scores(classifier, *pictures, max_batch=max_batch, what="deletion and insertion")
    return Curve(fractions, scores[:count]), Curve(fractions, scores[count:])


def _fractions(steps: int) -> Tensor:
    if steps < 1:
        raise InterpretError(f"a curve needs at least one step, not {steps}")
    return torch.arange(steps + 1, dtype=torch.float64) / steps


def _scores(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    replaced_by: tuple[Tensor, Tensor, Tensor],
    *,
    max_batch: int,
    what: str,
) -> Tensor:
    """(N, F) the scores of pictures (N, C, h, w), of which pixels are replaced in the order of ranks (N, 1, h, w).

    These, what comes in their place (N, C, h, w), and the shares (F,) of the pixels are ``replaced_by``.
    """
    ranked, end, fractions = replaced_by
    counts = (fractions * ranked[0].numel()).round().long().to(images.device)

    def run(rows: Tensor, numbers: Tensor) -> Tensor:
        replaced = ranked[rows] < counts[numbers].view(-1, 1, 1, 1)
        mixed = torch.where(replaced, end[rows], images[rows])
        return probability_or_score(classifier, mixed, target_of(target, rows))

    with left_as_found(classifier, images.device), torch.no_grad():
        scores = images.new_zeros(len(images), len(fractions))
        work = passes(run, len(images), len(fractions), max_batch=max_batch, what=what, device=images.device)
        for row, number, score in work:
            scores[row, number] = score
    return scores
