"""Deep feature factorisation (Collins et al. 2018, https://arxiv.org/abs/1806.10206): the parts a layer knows of."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..bounds import check_bounds
from ..classifier import Classifier, network_of
from ..errors import InterpretError
from ..layer_outputs import laid_out, layer_of, maps_of
from ..network.hooks import left_as_found
from ..network.recording import edited

ROUNDS, ENOUGH = 3000, 1e-6  # of updates at most, and the share of the error by which it falls when they end


@dataclass(frozen=True)
class Factors:
    """Activations of pictures as sums of a few patterns of channels, each with the places where it is."""

    layer: str
    maps: tuple[Tensor, ...]  # (F, u, v) of each picture: how strong each factor is at each place
    directions: Tensor  # (F, K), of length 1: which channels make a factor
    error: float  # the share of the squared activations that the factors leave out
    logits: tuple[Tensor, ...]  # (F, classes) of each picture: what the network sees where only that factor is left


def factorize(
    classifier: Classifier, images: Sequence[Tensor], *, layer: str | None = None, factors: int = 4
) -> Factors:
    """The parts that a layer tells apart in one or several pictures, found without labels.

    The activations of all places of all pictures, cut at zero, are taken apart by non-negative matrix factorisation:
    at each place they are a sum of a few directions, so that what belongs together, also across pictures, has
    one. It begins with the places that are least like each other, and draws nothing at random.

    Args:
        classifier: the classifier.
        images: pictures (1, C, H, W) in [0, 1], which may differ in size.
        layer: the layer's name; the last feature map by default.
        factors: how many.

    Returns:
        The factors, the strongest first.

    Raises:
        UnknownNameError: no such layer.
        InterpretError: the layer holds no map, is zero everywhere, or has fewer places or channels than factors.
    """
    check_bounds("factorize", {"factors": factors})
    images = list(images)
    with left_as_found(classifier, images[0].device), torch.no_grad():
        view = classifier.on_inputs()
        inputs = [classifier.prepare(image)[0] for image in images]
        layer = layer_of(view, inputs[0], layer)
        maps = [maps_of(view, given, layer)[0].float().clamp(min=0) for given in inputs]  # (K, u, v) each
        places = torch.cat([own.flatten(1) for own in maps], 1).T  # (P, K)
        if factors > min(places.shape):
            raise InterpretError(f"{places.shape[0]} places of {places.shape[1]} channels have no {factors} factors")
        if not places.any():
            raise InterpretError(f"layer {layer!r} gives nothing above zero, so there is nothing to take apart")
        strengths, directions, error = non_negative_factors(places, factors)
        parts = strengths.T.split([own[0].numel() for own in maps], 1)
        laid = tuple(part.unflatten(1, own.shape[1:]) for part, own in zip(parts, maps, strict=True))
        logits = tuple(
            _seen_alone(view, given, layer, own, directions) for given, own in zip(inputs, laid, strict=True)
        )
    return Factors(layer, laid, directions, error, logits)


def non_negative_factors(values: Tensor, count: int) -> tuple[Tensor, Tensor, float]:
    """Values (P, K), none below zero, as strengths (P, F) times directions (F, K), none below zero either.

    By hierarchical alternating least squares (Cichocki and Phan 2009), from the rows that are least like each other.

    Returns:
        Strengths, directions of length 1, those with the largest squared strengths first, and the share of the
        squared values that is left out.
    """
    directions = _unlike_rows(values, count)
    strengths = (values @ directions.T).clamp(min=0)
    whole, before = float(values.double().square().sum()), 1.0
    for _ in range(ROUNDS):
        _updated(strengths, values @ directions.T, directions @ directions.T)
        _updated(directions.T, values.T @ strengths, strengths.T @ strengths)
        error = float((values - strengths @ directions).double().square().sum()) / whole
        if before - error <= ENOUGH * error:
            break
        before = error
    lengths = directions.norm(dim=1)
    strengths, directions = (
        strengths * lengths,
        directions / lengths.clamp(min=torch.finfo(lengths.dtype).tiny)[:, None],
    )
    order = strengths.square().sum(0).argsort(descending=True, stable=True)
    return strengths[:, order], directions[order], error


def strengths_in(values: Tensor, directions: Tensor) -> Tensor:
    """The strengths (P, F), none below zero, of given directions (F, K) whose sums come closest to values (P, K)."""
    products, overlaps = values @ directions.T, directions @ directions.T
    strengths = products.clamp(min=0)
    for _ in range(ROUNDS):
        before = strengths.clone()
        _updated(strengths, products, overlaps)
        if float((strengths - before).abs().max()) <= ENOUGH * float(strengths.abs().max()):
            break
    return strengths


def _updated(part: Tensor, products: Tensor, overlaps: Tensor) -> None:
    """Set each column of a part (n, F) to the best one that is not below zero, the others as they are."""
    for column in range(part.shape[1]):
        own = overlaps[column, column]
        if own > 0:
            rest = products[:, column] - part @ overlaps[:, column]
            part[:, column] = (part[:, column] + rest / own).clamp(min=0)


def _unlike_rows(values: Tensor, count: int) -> Tensor:
    """Rows (count, K) of values (P, K): the longest, then each time the one that is farthest from those before."""
    left, chosen = values.clone(), []
    for _ in range(count):
        sizes = left.square().sum(1)
        row = int(sizes.argmax())
        chosen.append(row)
        if sizes[row] > 0:
            along = left[row] / sizes[row].sqrt()
            left = left - (left @ along)[:, None] * along
    return values[chosen] / values[chosen].norm(dim=1, keepdim=True).clamp(min=torch.finfo(values.dtype).tiny)


def _seen_alone(view: Classifier, inputs: Tensor, layer: str, strengths: Tensor, directions: Tensor) -> Tensor:
    """(F, classes) the logits of a picture's inputs (1, C, h, w) where the layer gives one factor and nothing else."""
    layout = laid_out(view, inputs, layer).get(layer)
    alone = strengths[:, None] * directions[:, :, None, None]  # (F, K, u, v)
    with edited(network_of(view), layer, lambda output: alone.to(output.dtype), layout):
        return view(inputs.expand(len(alone), -1, -1, -1))
