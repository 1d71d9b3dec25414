"""Minimum-norm attacks: closed forms, and the levels of a file."""

import pytest
import torch
from torch import nn

import attacks
from attacks import AttackError
from attacks.core.hyperplane import step_onto_plane
from attacks.core.minimum_norm import MinimumNormState
from attacks.core.norms import NORMS
from tests.attack_nets import boundary_distance, convnet, linear, predictions, samples

SHAPES = [(8,), (4, 5), (3, 4, 4)]
# How many times the distance to the boundary of a linear model an attack may need.
LIMITS = {"deepfool": 1.0201, "carlini_wagner": 1.02, "ddn": 1.25, "fmn": 1.25, "lbfgs": 1.25}
NORMED = ("deepfool", "fmn")
CASES = [(name, "L2") for name in LIMITS] + [(name, "Linf") for name in NORMED]
QUICK = {
    "carlini_wagner": dict(steps=60, searches=3),
    "lbfgs": dict(steps=20, searches=6),
    "ddn": dict(steps=40),
    "fmn": dict(steps=40),
}


def attack(name, *what, norm="L2", **settings):
    settings = {**QUICK.get(name, {}), **settings}
    return getattr(attacks, name)(*what, **settings, **({"norm": norm} if name in NORMED else {}))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name, norm", CASES)
def test_ends_near_the_boundary_of_a_linear_model(name, norm, shape):
    model, images = linear(shape, 2), samples(40, shape)
    with torch.no_grad():
        model[1].bias.sub_(model(images).mean(0))
    labels = predictions(model, images)
    distance = boundary_distance(model, images, labels, norm)
    near = distance < (0.12 if norm == "Linf" else 0.19)  # so that the box is not in the way
    images, labels, distance = images[near][:5], labels[near][:5], distance[near][:5]
    assert len(images) >= 4
    found = attack(name, model, images, labels, norm=norm)
    assert (predictions(model, found) != labels).all()
    ratio = NORMS[norm].size(found - images) / distance
    assert (ratio >= 1 - 1e-9).all() and (ratio <= LIMITS[name]).all()
    wanted = attack(name, model, images, 1 - labels, norm=norm, targeted=True)
    assert (predictions(model, wanted) == 1 - labels).all()
    assert (NORMS[norm].size(wanted - images) <= LIMITS[name] * distance).all()


@pytest.mark.parametrize("norm", ["L2", "Linf"])
def test_deepfool_finds_the_nearest_of_many_boundaries(norm):
    model, images = linear((8,), 6), samples(60, (8,))
    with torch.no_grad():
        model[1].weight.mul_(torch.linspace(0.2, 2, 6)[:, None])  # so that the likeliest is not the nearest
        model[1].bias.sub_(model(images).mean(0))
    labels = predictions(model, images)
    distance = boundary_distance(model, images, labels, norm)
    near = distance < (0.05 if norm == "Linf" else 0.19)
    found = attacks.deepfool(model, images[near], labels[near], norm=norm)
    assert near.sum() > 5
    torch.testing.assert_close(NORMS[norm].size(found - images[near]), 1.02 * distance[near], rtol=1e-9, atol=0)
    # With one candidate, the likeliest class, others may be nearer.
    one = attacks.deepfool(model, images[near], labels[near], norm=norm, candidates=1)
    assert (NORMS[norm].size(one - images[near]) > 1.02 * NORMS[norm].size(found - images[near])).any()


@pytest.mark.parametrize("name", LIMITS)
def test_values_at_the_ends_of_the_box_move(name):
    # Every value is 0 or 1, and moving them inwards is the only way.
    images = torch.tensor([[0.0, 1, 0, 1, 0, 1]])
    way = 1 - 2 * images

    def model(points):
        return torch.cat([(points * way).sum(1, keepdim=True) * 0 - 2.0, (points - images) @ way.T - 2.3], 1)

    found = attack(name, model, images, torch.tensor([0]))
    assert model(found).argmax(1) == 1
    delta = ((found - images) * way)[0]
    assert (delta > 0.02).all() and NORMS["L2"].size(found - images) < 1.25 * 0.3 / 6**0.5


def test_the_nearest_is_kept():
    images = torch.zeros(4, 2)
    state = MinimumNormState.of(images, torch.zeros(4, dtype=torch.long), images)
    state.distance = torch.tensor([torch.inf, torch.inf, 0.5, 2.0])
    state.keep_nearest(torch.ones(4, 2), torch.tensor([True, False, True, True]))
    assert state.result[:, 0].tolist() == [1, 0, 0, 1]
    torch.testing.assert_close(state.distance, torch.tensor([2**0.5, torch.inf, 0.5, 2**0.5]))


def test_settings_that_make_no_sense_are_refused():
    model, images = convnet(), samples(1, (3, 8, 8))
    for name in LIMITS:
        with pytest.raises(AttackError, match="step"):
            attack(name, model, images, steps=0)
    for name in NORMED:
        with pytest.raises(AttackError, match="L2 and Linf"):
            attack(name, model, images, norm="L1")


def test_confidence_is_reached():
    model, images = linear((3, 4, 4), 4), samples(4, (3, 4, 4))
    labels = predictions(model, images)
    found = attacks.carlini_wagner(model, images, labels, confidence=2.0, steps=80, searches=4)
    logits = model(found).detach()
    assert (logits.argmax(1) != labels).all()
    behind = logits.amax(1) - logits.gather(1, labels[:, None])[:, 0]
    assert (behind >= 2 - 1e-6).all() and (behind < 2.2).all()


@pytest.mark.slow
def test_no_worse_than_foolbox():
    foolbox = pytest.importorskip("foolbox")
    model = convnet(dtype=torch.float32)
    images = samples(20, (3, 8, 8), dtype=torch.float32)
    labels = predictions(model, images)
    peers = {
        "deepfool": foolbox.attacks.L2DeepFoolAttack(),
        "ddn": foolbox.attacks.DDNAttack(steps=100),
        "carlini_wagner": foolbox.attacks.L2CarliniWagnerAttack(binary_search_steps=6, steps=200),
    }
    for name, peer in peers.items():
        theirs = peer(foolbox.PyTorchModel(model, (0, 1), device="cpu"), images, labels, epsilons=None)[1]
        ours = getattr(attacks, name)(model, images, labels)
        assert (predictions(model, ours) != labels).sum() >= (predictions(model, theirs) != labels).sum()
        assert NORMS["L2"].size(ours - images).median() <= 1.02 * NORMS["L2"].size(theirs - images).median()


def test_few_steps_of_carlini_wagner_reach_as_far_as_many():
    for seed in range(2):
        model, images = linear((8,), 2, seed=seed), samples(8, (8,), seed=seed)
        labels = predictions(model, images)
        found = attacks.carlini_wagner(model, images, labels, steps=20, searches=9)
        assert (predictions(model, found) != labels).all()


@pytest.mark.parametrize("far", [0.0, 1.5])
def test_fmn_finds_the_nearest_point_of_a_plane_in_the_box(far):
    model, images = linear((48,), 2), torch.rand(16, 48, dtype=torch.float64).mul(2).sub(0.5).clamp(0, 1)
    with torch.no_grad():
        model[1].bias.sub_(model(images).mean(0))
        normal = model[1].weight[1] - model[1].weight[0]
        model[1].bias[1] -= far * normal.norm()
        rise = -(images @ normal + model[1].bias[1] - model[1].bias[0])
    labels = predictions(model, images)
    exact = NORMS["L2"].size(step_onto_plane(images, normal.expand_as(images), rise, "L2"))
    found = attacks.fmn(model, images, labels, norm="L2")
    assert (predictions(model, found) != labels).all()
    assert (NORMS["L2"].size(found - images) <= 1.02 * exact + 1e-9).all()


@pytest.mark.parametrize("norm", ["L2", "Linf"])
def test_the_steps_of_fmn_are_of_the_size_of_the_distance(norm):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(30, 40), nn.ReLU(), nn.Linear(40, 4)).double()
    samples = torch.rand(12, 30, dtype=torch.float64)
    labels = predictions(network, samples)

    def change(scale):  # of the same samples, drawn so small that the box is not in the way
        images = 0.5 + samples / scale
        found = attacks.fmn(lambda points: network((points - 0.5) * scale), images, labels, norm=norm, steps=20)
        return (found - images) * scale

    assert torch.allclose(change(40), change(400), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("norm", ["L2", "Linf"])
@pytest.mark.parametrize("name", NORMED)
def test_a_boundary_that_only_few_values_can_reach_is_crossed(name, norm):
    # Black values that the gradient would push below black take no part.
    images = torch.zeros(1, 20)
    images[0, 15:] = 0.2
    way = torch.cat([-torch.ones(15), torch.ones(5)])

    def model(points):
        return torch.stack([points[:, 0] * 0, torch.tanh(points @ way - 3.5)], 1)

    found = attack(name, model, images, torch.tensor([0]), norm=norm, steps=100)
    assert model(found).argmax(1) == 1
    if name == "fmn":
        assert NORMS[norm].size(found - images) <= 1.25 * (0.5 if norm == "Linf" else 0.5 * 5**0.5)
