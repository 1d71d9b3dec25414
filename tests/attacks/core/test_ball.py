"""Balls: the nearest point inside, and random ones."""

import pytest
import torch

from attacks.core.ball import Ball
from attacks.core.norms import NORMS
from attacks.core.seeds import Noise


def test_l1_projection_is_the_nearest_point():
    """Against a search on the threshold, which is what the projection is defined by."""
    delta, eps = torch.randn(5, 30, dtype=torch.float64), torch.tensor([0.5, 1, 3, 8, 100.0], dtype=torch.float64)
    found = NORMS["L1"].project(delta, eps[:, None])
    for row, radius, point in zip(delta, eps, found, strict=True):
        low, high = 0.0, float(row.abs().max())
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if (row.abs() - middle).clamp(min=0).sum() > radius else (low, middle)
        expected = row if row.abs().sum() <= radius else row.sign() * (row.abs() - high).clamp(min=0)
        assert torch.allclose(point, expected, atol=1e-9)


@pytest.mark.parametrize("norm", ["L2", "L1", "Linf"])
def test_random_starts_fill_the_ball(norm):
    images = torch.full((400, 5), 0.5, dtype=torch.float64)
    ball = Ball.around(images, 0.3, norm)
    size = NORMS[norm].size(ball.random(Noise.of(list(range(400)), images)) - images)
    # In five dimensions the radius of a uniform point is distributed as r^5.
    share = (size <= 0.3 * 0.5 ** (1 / 5)).double().mean()
    assert 0.42 < share < 0.58 and size.max() <= 0.3
