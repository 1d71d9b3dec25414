"""APGD, FAB, Square and AutoAttack: closed forms, and what is not the standard."""

import logging

import pytest
import torch

import attacks
from attacks import AttackError
from attacks.apgd import _checkpoints as checkpoints
from attacks.autoattack import _warn_if_less
from attacks.core.norms import NORMS
from attacks.core.windows import bumps
from tests.attack_nets import boundary_distance, convnet, linear, predictions, samples

SHAPES = [(6,), (4, 5), (3, 4, 4)]
EVERY = {
    "apgd": dict(steps=10),
    "apgd on targets": dict(steps=5, target_classes=2),
    "square": dict(queries=25),
    "autoattack": dict(steps=3, queries=10, target_classes=2),
    "fab": dict(steps=6),
    "fab on targets": dict(steps=6, target_classes=3),
}
pytestmark = pytest.mark.filterwarnings("ignore:not the standard AutoAttack")


def attack(name, *what, **settings):
    return getattr(attacks, name.split()[0])(*what, **{**EVERY[name], **settings})


def near_the_boundary(shape, norm, classes=4):
    """A linear model and samples whose distance radius is well inside the box."""
    model, images = linear(shape, classes), samples(60, shape)
    labels = predictions(model, images)
    images = images[boundary_distance(model, images, labels, norm) < (0.15 if norm == "Linf" else 0.19)][:6]
    assert len(images) >= 4
    return model, images, predictions(model, images)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize(
    "name, settings",
    [
        ("apgd", dict(steps=40, target_classes=3)),
        ("square", dict(queries=400, rescale=True)),
        ("autoattack", dict(steps=20, queries=20)),
    ],
)
def test_a_linear_model_falls_exactly_beyond_its_boundary(name, settings, shape, norm):
    model, images, labels = near_the_boundary(shape, norm)
    distance = boundary_distance(model, images, labels, norm)
    # Bumps come near the direction of the gradient, but random search takes long to get there.
    beyond = 2 if (name, norm) == ("square", "L2") else 1.05
    for factor, expected in ((0.95, False), (beyond, True)):
        found = attack(name, model, images, labels, eps=distance * factor, norm=norm, seed=1, **settings)
        assert ((predictions(model, found) != labels) == expected).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("name", ["fab", "fab on targets"])
def test_fab_finds_the_least_perturbation_of_a_linear_model(name, norm, shape):
    model, images, labels = near_the_boundary(shape, norm)
    distance = boundary_distance(model, images, labels, norm)
    found = attack(name, model, images, labels, norm=norm, steps=20)
    assert (predictions(model, found) != labels).all()
    size = NORMS[norm].size(found - images)
    assert (size >= distance * (1 - 1e-9)).all() and (size <= distance * 1.01).all()


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_a_wanted_class_is_reached_at_its_boundary_distance(norm):
    model, images, labels = near_the_boundary((3, 4, 4), norm, classes=2)
    wanted = 1 - labels
    distance = boundary_distance(model, images, labels, norm)
    for name in ("apgd", "square"):
        settings = {"steps": 40} if name == "apgd" else {"queries": 300, "rescale": True}
        beyond = 2 if (name, norm) == ("square", "L2") else 1.05
        for factor, expected in ((0.95, False), (beyond, True)):
            found = attack(name, model, images, wanted, eps=distance * factor, norm=norm, targeted=True, **settings)
            assert ((predictions(model, found) == wanted) == expected).all()
    found = attack("fab", model, images, wanted, norm=norm, targeted=True, steps=20)
    assert (predictions(model, found) == wanted).all()
    assert (NORMS[norm].size(found - images) <= distance * 1.01).all()


def test_checkpoints_are_those_of_the_paper():
    found = checkpoints(100)
    assert found.nonzero().flatten().tolist() == [22, 41, 57, 70, 80, 87, 93, 99]
    assert found[[22, 41, 57, 93, 99]].tolist() == [22, 19, 16, 6, 6]
    assert len(checkpoints(1)) == 2


def test_bumps_are_of_length_one_and_of_two_signs():
    rows, cols = torch.arange(9).view(1, 1, -1, 1) - 1, torch.arange(8).view(1, 1, 1, -1) - 2
    side = torch.full((2, 1, 1, 1), 5)
    found = bumps(rows, cols, side, side, torch.tensor([False, True]).view(2, 1, 1, 1))
    assert torch.allclose(found.square().sum((1, 2, 3)), torch.ones(2, dtype=found.dtype))
    assert (found[0, 0, 1:3, 2:7] > 0).all() and (found[0, 0, 3:6, 2:7] < 0).all()
    assert torch.equal(found[1, 0, 1:6, 2:7], found[0, 0, 1:6, 2:7].T)
    found[:, :, 1:6, 2:7] = 0
    assert not found.any()


def test_each_attack_finds_no_less_than_a_weaker_one():
    """AutoAttack <= APGD <= PGD on the samples left."""
    model, images = convnet(), samples(30, (3, 6, 6))
    labels = predictions(model, images)

    def left(found):
        return int((predictions(model, found) == labels).sum())

    shared = dict(eps=0.035, seed=1)
    weak = left(attacks.pgd(model, images, labels, steps=40, **shared))
    middle = left(attacks.apgd(model, images, labels, steps=40, **shared))
    strong = left(attacks.autoattack(model, images, labels, steps=40, queries=20, target_classes=2, **shared))
    assert 0 < strong <= middle <= weak < 30


def test_autoattack_warns_of_what_is_not_the_standard(caplog, recwarn):
    model, images = linear((4,), classes=5), samples(3, (4,))
    _warn_if_less(5, steps=100, queries=5000, target_classes=4)  # all the wrong classes there are
    assert not recwarn
    with caplog.at_level(logging.INFO):
        attack("autoattack", model, images, eps=0.0, batch_size=2)
    assert "after Square: 3 of 3 samples are robust" in caplog.text
    for less, said in (({"steps": 99}, "steps=99"), ({"queries": 0}, "queries=0"), ({"target_classes": 3}, "=3")):
        settings = {"steps": 1, "queries": 1, "target_classes": 9, **less}
        with pytest.warns(UserWarning, match=f"not the standard AutoAttack.*{said}"):
            attacks.autoattack(model, images, eps=0.01, **settings)
    few = linear((4,), classes=3)
    with pytest.warns(UserWarning, match="3 classes"):
        found = attacks.autoattack(few, images, eps=0.9, steps=5, queries=5)
    assert (predictions(few, found) != predictions(few, images)).any()


def test_two_classes_fall_too():
    model, images, labels = near_the_boundary((6,), "Linf", classes=2)
    eps = boundary_distance(model, images, labels, "Linf") * 1.05
    found = attack("apgd on targets", model, images, labels, eps=eps, steps=30)
    assert (predictions(model, found) != labels).all()


def test_square_needs_no_gradient_and_no_more_queries_than_allowed():
    model, images = convnet(), samples(4, (3, 6, 6))
    labels = predictions(model, images)
    queries = []

    def steps(points):
        assert not torch.is_grad_enabled()
        queries.append(len(points))
        return (model(points) * 4).round()

    attacks.square(steps, images, labels, eps=0.001, queries=30)
    assert len(queries) == 31 and queries[0] == 4


@pytest.mark.parametrize("name", ["apgd", "fab", "square", "autoattack"])
def test_a_wrong_norm_is_refused(name):
    with pytest.raises(AttackError, match="Linf and L2"):
        attack(name, convnet(), samples(2, (3, 6, 6)), norm="L0")


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("apgd", dict(steps=0), "1 or more"),
        ("apgd", dict(target_classes=2, loss="dlr"), "leave targeted and loss out"),
        ("fab", dict(steps=0), "1 or more"),
        ("fab", dict(target_classes=2, targeted=True), "leave targeted out"),
        ("square", dict(queries=0), "queries is a whole number of 1 or more"),
        ("square", dict(share=0), "share is a number above 0 and up to 1"),
        ("autoattack", dict(target_classes=0), "1 or more"),
    ],
)
def test_what_cannot_be_attacked_is_refused(name, settings, message):
    with pytest.raises(AttackError, match=message):
        attack(name, convnet(), samples(2, (3, 6, 6)), torch.tensor([0, 1]), **settings)
