"""Robust accuracy over radii, its interval, and the signs of masked gradients."""

import math
from contextlib import nullcontext

import pytest
import torch

from attacks import GradientWarning
from attacks.evaluation.gradient_masking import masking_checks
from attacks.evaluation.robust_accuracy import interval, robust_at
from tests.attack_nets import convnet, samples


def test_wilson_s_interval():
    low, high = interval(6, 8)
    z, n, p = 1.959963984540054, 8, 0.75
    # Its ends are where the normal test of a share just fails.
    for end in (low, high):
        assert math.isclose(abs(p - end), z * math.sqrt(end * (1 - end) / n), rel_tol=1e-9)
    assert interval(0, 5)[0] == 0 and interval(5, 5)[1] == 1


def test_the_whole_curve_is_no_weaker_than_its_points():
    model, images = convnet(), samples(10, (3, 6, 6))
    with torch.no_grad():
        labels = model(images).argmax(1)
    labels[0] = (labels[0] + 1) % 5
    radii = [0.0, 0.01, 0.03, 0.1]
    robust = robust_at(model, images, labels, "pgd", radii, steps=10)
    assert not robust[0].any() and robust[1:, 0].all()
    assert (robust[:, :-1] >= robust[:, 1:]).all()
    for column, radius in enumerate(radii[1:], 1):
        alone = robust_at(model, images, labels, "pgd", [radius], steps=10)[:, 0]
        assert robust[:, column].sum() <= alone.sum()
    smallest = robust_at(model, images, labels, "deepfool", radii)
    assert (smallest[:, :-1] >= smallest[:, 1:]).all() and smallest[:, 0].equal(robust[:, 0])


def test_the_model_sees_no_more_samples_at_a_time_than_asked_for():
    images, model, seen = samples(12, (3, 6, 6)), convnet(), []
    with torch.no_grad():
        labels = model(images).argmax(1)
    labels[0] = (labels[0] + 1) % 5

    def watched(points):
        seen.append(len(points))
        return model(points)

    options = {"eps": 0.1, "queries": 20}
    whole = masking_checks(model, images, labels, **options)
    radii, steps = [0.0, 0.02, 0.05], {"steps": 5}
    curves = [robust_at(model, images, labels, name, radii, **steps) for name in ("pgd", "deepfool")]
    assert masking_checks(watched, images, labels, batch_size=5, **options) == whole
    for name, curve in zip(("pgd", "deepfool"), curves, strict=True):
        assert robust_at(watched, images, labels, name, radii, batch_size=5, **steps).equal(curve)
    assert max(seen) == 5


def wrapped(kind):
    model = convnet()
    drawn = torch.Generator().manual_seed(0)
    return {
        "honest": model,
        "probabilities": lambda points: model(points).softmax(1),
        "random": lambda points: model(points) + torch.randn(1, 5, generator=drawn, dtype=torch.float64),
        "saturated": lambda points: model(points) * 1e5,
        "rounded": lambda points: model((points * 8).round() / 8 + 0 * points),
        "not a number": lambda points: (
            model(points) + (points - points.detach()).square().sum((1, 2, 3)).sqrt()[:, None]
        ),
    }[kind]


@pytest.mark.parametrize(
    "kind, sign",
    [
        ("honest", None),
        ("probabilities", "outputs"),
        ("random", "randomness"),
        ("saturated", "saturation"),
        ("rounded", "gradients"),
        ("not a number", "gradients"),
    ],
)
def test_masked_gradients_are_recognised(kind, sign):
    images = samples(20, (3, 6, 6))
    with torch.no_grad():
        labels = convnet()(images).argmax(1)
    with pytest.warns(GradientWarning) if kind == "rounded" else nullcontext():
        found = masking_checks(wrapped(kind), images, labels, eps=0.1, queries=100)
    checks = {check.name: check for check in found}
    signs = [name for name, check in checks.items() if not check.fine]
    assert (not signs) if sign is None else sign in signs, checks
