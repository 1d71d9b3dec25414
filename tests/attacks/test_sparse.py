"""Attacks that change few values: JSMA and the one pixel attack."""

import itertools

import pytest
import torch

import attacks
from attacks import AttackError
from attacks.jsma import _salient_pair
from tests.attack_nets import convnet, linear, predictions, samples


def test_jsma_takes_the_pair_that_the_paper_takes():
    """Equation 10 of the paper over all pairs, with the softmax as it stands there."""
    model, images = convnet(), samples(1, (3, 4, 4))
    jacobian = torch.autograd.functional.jacobian(lambda points: model(points).softmax(1)[0], images)
    jacobian = jacobian.reshape(5, -1)
    for target in range(5):
        alpha = jacobian[target]
        beta = jacobian.sum(0) - alpha
        pairs = {
            (p, q): -(alpha[p] + alpha[q]) * (beta[p] + beta[q])
            for p, q in itertools.combinations(range(48), 2)
            if alpha[p] + alpha[q] > 0 and beta[p] + beta[q] < 0
        }
        expected = max(pairs, key=pairs.get)
        picked = _salient_pair(images, images, alpha.view_as(images), allowed=10, end=1)
        assert picked.flatten().nonzero().flatten().tolist() == list(expected)
        alone = _salient_pair(images, images, alpha.view_as(images), allowed=1, end=1)
        assert alone.flatten().nonzero().flatten().tolist() == [int(alpha.argmax())]


def test_jsma_changes_no_more_values_than_a_linear_model_needs():
    model, images = linear((20,), 2), samples(12, (20,))
    labels = predictions(model, images)
    found = attacks.jsma(model, images, labels, fraction=1.0)
    fooled = predictions(model, found) != labels
    assert fooled.sum() >= 6
    weight = model[1].weight.detach()
    counts = (found != images).sum(1)
    for image, label, count in zip(images[fooled], labels[fooled], counts[fooled], strict=True):
        gain = ((weight[1 - label] - weight[label]) * (1 - image)).clamp_min(0)
        logits = model(image[None])[0].detach()
        needed = int((gain.sort(descending=True).values.cumsum(0) <= logits[label] - logits[1 - label]).sum()) + 1
        assert needed <= count <= needed + 3  # in pairs, and by slope where the least goes by gain


@pytest.mark.parametrize("change", [1.0, -1.0, 0.25])
def test_jsma_goes_one_way(change):
    model, images = convnet(), samples(8, (3, 6, 6))
    found = attacks.jsma(model, images, change=change, fraction=0.1)
    delta = found - images
    assert (delta * change >= 0).all() and (delta != 0).any()


@pytest.mark.parametrize("shape", [(8,), (5, 7), (2, 5, 7)])
def test_one_pixel_finds_the_only_place_that_matters(shape):
    images = torch.full((2, *shape), 0.5, dtype=torch.float64)
    place = (slice(None), *[size - 1 for size in shape])

    def model(points):  # without a gradient anywhere
        return torch.stack([torch.full((len(points),), 0.9), points[place].round() * points[place]], 1).detach()

    found = attacks.one_pixel(model, images, torch.zeros(2, dtype=torch.long), population=100, seed=[3, 4])
    assert (found[place] > 0.9).all()
    assert ((found != images).flatten(1).sum(1) <= (shape[0] if len(shape) == 3 else 1)).all()


def test_settings_that_make_no_sense_are_refused():
    model, images = convnet(), samples(1, (3, 4, 4))
    for settings in (dict(change=0.0), dict(change=2.0), dict(fraction=0.0)):
        with pytest.raises(AttackError, match=next(iter(settings))):
            attacks.jsma(model, images, **settings)
    for settings in (dict(pixels=0), dict(population=2)):
        with pytest.raises(AttackError, match=next(iter(settings))):
            attacks.one_pixel(model, images, **settings)


@pytest.mark.parametrize(
    "name, settings, spent, would",
    [
        ("jsma", {"fraction": 0.05}, "changing a fraction of 0.05 of their values", r"fraction=0\.\d"),
        ("one_pixel", {"population": 40, "steps": 4}, "1 pixel of 200 candidates", r"pixels=\d"),
    ],
)
def test_a_target_out_of_reach_is_said_with_what_it_would_take(name, settings, spent, would):
    """Of sixteen values each pushes as far as any other, and eight of them have to change."""

    def model(points):
        lead = (points.flatten(1).sum(1) - 8.2) * 3
        return torch.stack([-lead, lead], 1)

    images = torch.zeros(3, 1, 4, 4, dtype=torch.float64)
    labels = torch.ones(3, dtype=torch.long)
    attack = getattr(attacks, name)
    with pytest.warns(attacks.BudgetWarning, match=f"none of 3 samples by {spent}.*about {would}") as caught:
        assert torch.equal(attack(model, images, labels, targeted=True, **settings), images)
    needed = str(caught[0].message).split("=")[-1]
    more = {"fraction": 1.5 * float(needed)} if name == "jsma" else {"pixels": int(needed) + 1, "population": 200}
    assert (model(attack(model, images, labels, targeted=True, **more)).argmax(1) == 1).all()
    attack(model, images, labels, **settings)  # who wanted no class is told nothing
