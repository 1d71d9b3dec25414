"""Projections of a layer's places on their first direction, and the sign that such a direction lacks."""

import torch
from torch import Tensor

from .contract import ratio


def first_direction(places: Tensor) -> Tensor:
    """The first right singular vector (N, K, 1), of length 1, of each of several matrices (N, K, places)."""
    # Both Gram matrices have the same first direction; the smaller one costs less.
    if places.shape[1] <= places.shape[2]:
        return torch.linalg.eigh(places @ places.mT).eigenvectors[..., -1:]
    values, vectors = torch.linalg.eigh(places.mT @ places)
    direction, length = places @ vectors[..., -1:], values[:, -1:, None].clamp(min=0).sqrt()
    return ratio(direction, length.expand_as(direction))


def signed(projected: Tensor, like: Tensor) -> Tensor:
    """Projections (N, places), each with the sign by which its product with a map (N, places) has a sum above 0."""
    against = (projected * like).sum(1, keepdim=True) < 0
    return torch.where(against, -projected, projected)
