"""Steps onto a hyperplane within the box."""

import pytest
import torch

from attacks.core.hyperplane import step_onto_plane


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_step_onto_a_plane_is_exact_and_least(norm):
    points, normal = torch.rand(40, 12, dtype=torch.float64), torch.randn(40, 12, dtype=torch.float64)
    points[:, :4] = points[:, :4].round()
    normal[:, 11] = 0
    rise = torch.randn(40, dtype=torch.float64)
    step = step_onto_plane(points, normal, rise, norm)
    assert (points + step).min() >= 0 and (points + step).max() <= 1
    gained = (normal * step).sum(1)
    most = torch.where(normal * rise[:, None] > 0, 1 - points, points).mul(normal.abs()).sum(1)
    reachable = most >= rise.abs()
    assert reachable.any()
    assert torch.allclose(gained[reachable], rise[reachable])
    assert torch.allclose(gained[~reachable].abs(), most[~reachable])
    # A shorter step, the same way but clipped, gains less; a bisection finds the same length.
    low, high = torch.zeros(40, 1, dtype=torch.float64), torch.full((40, 1), 1e3, dtype=torch.float64)
    way = normal.sign() * rise.sign()[:, None] * (1 if norm == "Linf" else normal.abs())
    for _ in range(100):
        middle = (low + high) / 2
        enough = ((normal * ((points + middle * way).clamp(0, 1) - points)).sum(1).abs() >= rise.abs())[:, None]
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    searched = (points + high * way).clamp(0, 1) - points
    assert torch.allclose(step, searched, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_planes_of_any_scale(scale):
    points, normal = torch.rand(5, 9) * 0.5 + 0.25, torch.randn(5, 9)
    rise = torch.full((5,), 0.1)
    for norm in ("Linf", "L2"):
        step = step_onto_plane(points, normal * scale, rise * scale, norm)
        assert torch.allclose(step, step_onto_plane(points, normal, rise, norm), rtol=1e-4, atol=1e-7)
        assert not step_onto_plane(points, normal * 0, rise, norm).any()
