"""Attacks that look for the least perturbation: closed forms, honest failures, the 8-bit grid, independence."""

import pytest
import torch
from torch import nn

import attacks
from attacks import AttackError, GradientWarning
from attacks.core.active_batch import Rows
from attacks.core.minimum_norm import keep_nearest
from attacks.core.quantize import on_grid
from tests.attack_nets import convnet, linear, samples

SHAPES = [(8,), (4, 5), (3, 4, 4)]
# How many times the least distance of a linear model an attack may need.
LIMITS = {"deepfool": 1.0201, "carlini_wagner": 1.02, "ddn": 1.25, "fmn": 1.25, "lbfgs": 1.25}
NORMED = ("deepfool", "fmn")
CASES = [(name, "L2") for name in LIMITS] + [(name, "Linf") for name in NORMED]
QUICK = {
    "carlini_wagner": dict(steps=60, searches=3),
    "lbfgs": dict(steps=20, searches=6),
    "ddn": dict(steps=40),
    "fmn": dict(steps=40),
}


class Rowwise(nn.Module):
    """Tanh and a linear layer that sums each row by itself, so that the batch cannot change the last bit."""

    def __init__(self, classes=5):
        super().__init__()
        weight = torch.randn(classes, 75, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        self.weight = nn.Parameter(weight, requires_grad=False)

    def forward(self, images):
        return (torch.tanh(images.reshape(len(images), 1, -1) - 0.5) * self.weight).sum(2)


def attack(name, *what, norm="L2", **settings):
    settings = {**QUICK.get(name, {}), **settings}
    return getattr(attacks, name)(*what, **settings, **({"norm": norm} if name in NORMED else {}))


def predictions(model, images):
    with torch.no_grad():
        return model(images).argmax(1)


def size(delta, norm="L2"):
    return delta.flatten(1).abs().amax(1) if norm == "Linf" else delta.flatten(1).norm(dim=1)


def least_distance(model, images, labels, norm):
    """(N,) how far the nearest boundary of a linear model is."""
    weight, logits = model[1].weight.detach(), model(images).detach()
    away = weight[labels][:, None] - weight[None]
    dual = away.abs().sum(2) if norm == "Linf" else away.norm(dim=2)
    distance = (logits.gather(1, labels[:, None]) - logits) / dual
    return distance.masked_fill(nn.functional.one_hot(labels, len(weight)).bool(), torch.inf).amin(1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name, norm", CASES)
def test_ends_near_the_boundary_of_a_linear_model(name, norm, shape):
    model, images = linear(shape, 2), samples(40, shape)
    with torch.no_grad():
        model[1].bias.sub_(model(images).mean(0))
    labels = predictions(model, images)
    least = least_distance(model, images, labels, norm)
    near = least < (0.12 if norm == "Linf" else 0.19)  # so that the box is not in the way
    images, labels, least = images[near][:5], labels[near][:5], least[near][:5]
    assert len(images) >= 4
    for rows in (slice(None), slice(0, 1)):
        found = attack(name, model, images[rows], labels[rows], norm=norm)
        assert (predictions(model, found) != labels[rows]).all()
        ratio = size(found - images[rows], norm) / least[rows]
        assert (ratio >= 1 - 1e-9).all() and (ratio <= LIMITS[name]).all()
    wanted = attack(name, model, images, 1 - labels, norm=norm, targeted=True)
    assert (predictions(model, wanted) == 1 - labels).all()
    assert (size(wanted - images, norm) <= LIMITS[name] * least).all()


@pytest.mark.parametrize("norm", ["L2", "Linf"])
def test_deepfool_finds_the_nearest_of_many_boundaries(norm):
    model, images = linear((8,), 6), samples(60, (8,))
    with torch.no_grad():
        model[1].weight.mul_(torch.linspace(0.2, 2, 6)[:, None])  # so that the likeliest is not the nearest
        model[1].bias.sub_(model(images).mean(0))
    labels = predictions(model, images)
    least = least_distance(model, images, labels, norm)
    near = least < (0.05 if norm == "Linf" else 0.19)
    found = attacks.deepfool(model, images[near], labels[near], norm=norm)
    assert near.sum() > 5
    torch.testing.assert_close(size(found - images[near], norm), 1.02 * least[near], rtol=1e-9, atol=0)
    # With one candidate, the likeliest class, others may be nearer.
    one = attacks.deepfool(model, images[near], labels[near], norm=norm, candidates=1)
    assert (size(one - images[near], norm) > 1.02 * size(found - images[near], norm)).any()


@pytest.mark.parametrize("name", LIMITS)
def test_targets_are_reached_among_many_classes(name):
    model, images = convnet(), samples(4, (3, 8, 8))
    wanted = (predictions(model, images) + 2) % 5
    found = attack(name, model, images, wanted, targeted=True)
    reached = predictions(model, found) == wanted
    assert reached.sum() >= 3
    assert torch.equal(found[~reached], images[~reached])


@pytest.mark.parametrize("scale, shift", [(1, -50), (1000, 0), (1e-3, 0)])
@pytest.mark.parametrize("name", LIMITS)
def test_neither_a_constant_nor_a_scale_of_the_logits_protects(name, scale, shift):
    model, images = linear((3, 4, 4), 2), samples(6, (3, 4, 4))
    labels = predictions(model, images)
    plain = size(attack(name, model, images, labels) - images)
    found = attack(name, lambda points: scale * model(points) + shift, images, labels)
    assert (predictions(model, found) != labels).all()
    assert (size(found - images) <= 1.05 * plain).all()


@pytest.mark.parametrize("name, norm", CASES)
def test_samples_do_not_depend_on_their_neighbours(name, norm):
    model, images = Rowwise(), samples(3, (3, 5, 5))
    images[:, 0], images[:, 1] = 0, 1
    kept = images.clone()
    together = attack(name, model, images, norm=norm)
    assert (predictions(model, together) != predictions(model, images)).all()
    alone = torch.cat([attack(name, model, image[None], norm=norm) for image in images])
    assert torch.equal(together, alone)
    assert torch.equal(together, attack(name, model, images, norm=norm, batch_size=2))
    with torch.inference_mode():
        assert torch.equal(together, attack(name, model, images, norm=norm))
    assert torch.equal(images, kept) and not together.requires_grad


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
    assert (delta > 0.02).all() and size(found - images) < 1.25 * 0.3 / 6**0.5


@pytest.mark.parametrize("name", LIMITS)
def test_whom_nothing_fools_stays_as_it_was(name):
    images = samples(3, (6,), dtype=torch.float32)

    def certain(points):  # no point of the box fools
        return torch.stack([points.sum(1) + 100, points.sum(1) * 2], 1)

    assert torch.equal(attack(name, certain, images, torch.zeros(3, dtype=torch.long)), images)
    # Fooled already, or what is wanted already: distance 0.
    assert torch.equal(attack(name, certain, images, torch.ones(3, dtype=torch.long)), images)
    assert torch.equal(attack(name, certain, images, torch.zeros(3, dtype=torch.long), targeted=True), images)


@pytest.mark.parametrize("name, norm", CASES)
def test_quantized_results_fool_from_the_grid(name, norm):
    model, images = linear((3, 4, 4), 5), torch.rand(8, 3, 4, 4, dtype=torch.float64)
    labels = predictions(model, images)
    found = attack(name, model, images, labels, norm=norm, quantize=True)
    assert torch.equal(found, (found * 255).round() / 255)
    assert (predictions(model, found) != labels).all()


def test_the_grid_is_reached_by_the_smallest_scale():
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2)).double().requires_grad_(False)
    model[1].weight.copy_(torch.tensor([[0.0], [1.0]]))
    model[1].bias.copy_(torch.tensor([0.0, -103.4 / 255]))
    images, labels = torch.tensor([[100.0], [100.0]]).double() / 255, torch.tensor([0, 0])
    nearly = images + torch.tensor([[3.45], [0.0]]) / 255  # rounds to 103, which does not fool
    found = on_grid(model, images, nearly, labels)
    assert (found * 255).round().flatten().tolist() == [104, 100]
    assert torch.equal(on_grid(model, images, images - 0.1, labels), images)  # no scale of this fools
    model[1].bias[1] = -116.4 / 255
    near = on_grid(model, images, images + 10.4 / 255, labels)
    assert (near * 255).round().flatten().tolist() == [117, 117]


def test_the_nearest_is_kept():
    images = torch.zeros(4, 2)
    now = Rows(images=images, result=images, best=torch.tensor([torch.inf, torch.inf, 0.5, 2.0]))
    keep_nearest(now, torch.ones(4, 2), torch.tensor([True, False, True, True]))
    assert now.result[:, 0].tolist() == [1, 0, 0, 1]
    torch.testing.assert_close(now.best, torch.tensor([2**0.5, torch.inf, 0.5, 2**0.5]))


@pytest.mark.parametrize("name", LIMITS)
def test_a_layout_does_not_matter(name):
    model, images = convnet(), samples(2, (3, 6, 6))
    expected = attack(name, model, images)
    crossed = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(attack(name, model, crossed), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", LIMITS)
def test_blindness_is_said(name):
    images = samples(2, (6,), dtype=torch.float32)
    labels = torch.zeros(2, dtype=torch.long)
    with pytest.raises(AttackError, match="not a number"):
        attack(name, lambda points: torch.stack([1 + (points - points).norm(dim=1).sqrt(), points[:, 0]], 1), images)
    with pytest.raises(AttackError, match="do not depend"):
        attack(name, lambda points: torch.tensor([[1.0, 0.0]]).expand(len(points), 2), images, labels)
    with pytest.warns(GradientWarning):
        kept = attack(name, lambda points: points[:, :2] * 0 + torch.tensor([1.0, 0.0]), images, labels)
    assert torch.equal(kept, images)
    with pytest.raises(AttackError, match="labels that are wanted"):
        attack(name, Rowwise(), samples(2, (3, 5, 5)), targeted=True)


@pytest.mark.parametrize("name", LIMITS)
def test_leaves_the_model_and_the_generator_alone(name):
    model = convnet().train().requires_grad_(True)
    model[1].eval()
    state = torch.get_rng_state()
    attack(name, model, samples(2, (3, 8, 8)))
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training and not model[1].training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert len(attack(name, model, samples(0, (3, 8, 8)), torch.zeros(0, dtype=torch.long))) == 0


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
        assert size(ours - images).median() <= 1.02 * size(theirs - images).median()
