"""FGSM, BIM, PGD and MI-FGSM: closed forms, restarts, and what is refused."""

import warnings

import pytest
import torch

import attacks
from attacks import AttackError
from attacks.core.seeds import seeds_of
from tests.attack_nets import boundary_distance, convnet, linear, predictions, samples

SHAPES = [(6,), (4, 5), (3, 4, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_a_linear_model_falls_exactly_beyond_its_boundary(shape, norm):
    model, images = linear(shape), samples(6, shape)
    labels = predictions(model, images)
    radius = boundary_distance(model, images, labels, norm)
    for factor, expected in ((0.95, False), (1.05, True)):
        # The margin loss leads to the nearest boundary on a linear model with two classes in play.
        found = attacks.pgd(
            model, images, labels, eps=radius * factor, norm=norm, steps=60, loss="margin", restarts=3, seed=1
        )
        fooled = predictions(model, found) != labels
        assert fooled.float().mean() >= 0.8 if expected else not fooled.any()


def test_one_step_on_a_linear_model_is_the_sign_of_its_weights():
    model, images = linear((3, 4, 4), classes=2), samples(3, (3, 4, 4))
    labels = torch.zeros(3, dtype=torch.long)
    found = attacks.fgsm(model, images, labels, eps=0.05)
    step = 0.05 * (model[1].weight[1] - model[1].weight[0]).sign().view(3, 4, 4)
    assert torch.allclose(found, images + step, atol=1e-12)
    wanted = attacks.fgsm(model, images, labels, eps=0.05, targeted=True)
    assert torch.allclose(wanted, images - step, atol=1e-12)


def test_seeds_may_come_from_a_generator():
    model, images = convnet(), samples(3, (3, 6, 6))
    labels = predictions(model, images)
    drawn = [attacks.pgd(model, images, labels, steps=1, seed=torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
    one, same, other = (seeds_of(torch.Generator().manual_seed(s), images) for s in (0, 0, 1))
    assert torch.equal(one, same) and len({*one.tolist(), *other.tolist()}) == 6


def test_samples_that_are_fooled_stay_so_and_cost_no_more():
    model, images = convnet(), samples(8, (3, 6, 6))
    labels = predictions(model, images)
    queries = []

    def counting(points):
        queries.append(len(points))
        return model(points)

    found = attacks.pgd(counting, images, labels, eps=0.3, steps=40, stop_when_fooled=True)
    assert (predictions(model, found) != labels).float().mean() > 0.5
    assert sum(queries) < 8 * 40 and queries[-1] <= queries[0]


def test_no_pass_is_made_twice():
    """The clean pass gives the prediction and the first gradient; who is fooled costs no other; places are filled."""
    asked = []

    def model(points):
        asked.append((len(points), points.requires_grad))
        return torch.stack([torch.zeros(len(points)).double(), (points.mean(1) - 0.5) * 100], 1)

    images = torch.full((8, 3), 0.48, dtype=torch.float64)
    images[0] = 0.36  # which takes three steps of a twentieth, where the others take one
    settings = {"eps": 0.4, "step_size": 0.05, "steps": 9, "random_start": False, "stop_when_fooled": True}
    found = attacks.pgd(model, images, batch_size=4, **settings)
    assert (found.mean(1) > 0.5).all()
    assert asked == [(4, True), (4, False), (4, True), (4, False), (2, True), (2, False)]
    asked.clear()
    attacks.fgsm(model, images)
    assert asked == [(8, True)]


def test_restarts_keep_what_fooled():
    """The second start must not undo what the first has found."""
    model, images = convnet(), samples(12, (3, 6, 6))
    labels = predictions(model, images)
    settings = dict(eps=0.06, steps=3, seed=2)
    rates = [
        (predictions(model, attacks.pgd(model, images, labels, restarts=n, **settings)) != labels) for n in (1, 2, 4)
    ]
    assert (rates[1] >= rates[0]).all() and (rates[2] >= rates[1]).all()


def test_without_a_bound_everything_falls():
    model, images = convnet(), samples(6, (3, 6, 6))
    labels = predictions(model, images)
    found = attacks.pgd(model, images, labels, eps=1.0, steps=60, restarts=3, stop_when_fooled=True)
    reachable = (predictions(model, torch.rand(500, 3, 6, 6, dtype=torch.float64))).unique()
    assert len(reachable) > 1 and (predictions(model, found) != labels).all()


@pytest.mark.parametrize(
    "changes, message",
    [
        (dict(images=torch.rand(2, 3, 6, 6) * 2), r"\[0, 1\]"),
        (dict(images=torch.zeros(2, 3, 6, 6, dtype=torch.uint8)), "divide by 255"),
        (dict(labels=torch.tensor([0])), "one class index"),
        (dict(labels=torch.tensor([0, -1])), "0 or more"),
        (dict(labels=torch.rand(2)), "one class index"),
        (dict(eps=-0.1), "0 or more"),
        (dict(eps=torch.rand(3)), "one for each of 2"),
        (dict(norm="L3"), "Linf, L2, L1, L0"),
        (dict(loss="mse"), "cross_entropy"),
        (dict(steps=0), "1 or more"),
        (dict(eps=0.001, quantize=True), "less than one level"),
        (dict(targeted=True, labels=None), "the classes to reach"),
        (dict(seed=[1, 2, 3]), "2 samples need one seed"),
        (dict(model=lambda points: torch.full((2, 3), float("nan"))), "not finite"),
        (dict(model=lambda points: torch.zeros(2)), "two classes"),
    ],
)
def test_what_cannot_be_attacked_is_refused(changes, message):
    settings = dict(
        model=convnet(dtype=torch.float32), images=torch.rand(2, 3, 6, 6), labels=torch.tensor([0, 1]), **{}
    )
    with pytest.raises(AttackError, match=message):
        attacks.pgd(**{**settings, **changes})


def test_least_likely_class_is_what_bim_goes_for():
    model, images = convnet(), samples(5, (3, 6, 6))
    with torch.no_grad():
        least = model(images).argmin(1)
    found = attacks.bim(model, images, eps=0.2, steps=20, least_likely=True)
    wanted = attacks.bim(model, images, least, eps=0.2, steps=20, targeted=True)
    assert torch.equal(found, wanted)
    with torch.no_grad():
        before, after = (model(points).softmax(1).gather(1, least[:, None]) for points in (images, found))
    assert (after > before).all()


def test_momentum_without_decay_is_bim_and_with_it_is_not():
    model, images = convnet(), samples(4, (3, 6, 6))
    labels = predictions(model, images)
    plain = attacks.bim(model, images, labels, eps=0.05, step_size=0.005, steps=10)
    none = attacks.mifgsm(model, images, labels, eps=0.05, steps=10, decay=0.0)
    assert torch.equal(plain, none)
    assert not torch.equal(plain, attacks.mifgsm(model, images, labels, eps=0.05, steps=10))


def test_the_peers_agree():
    """torchattacks and foolbox, where they are installed: within 1e-6 without a random start."""
    torchattacks = pytest.importorskip("torchattacks")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        foolbox = pytest.importorskip("foolbox")
    model, images = convnet(dtype=torch.float32), samples(16, (3, 8, 8), dtype=torch.float32)
    labels = predictions(model, images)
    theirs = {
        "fgsm": torchattacks.FGSM(model, eps=0.03),
        "bim": torchattacks.BIM(model, eps=0.03, alpha=0.005, steps=10),
        "pgd": torchattacks.PGD(model, eps=0.03, alpha=0.007, steps=10, random_start=False),
        "mifgsm": torchattacks.MIFGSM(model, eps=0.03, alpha=0.003, steps=10),
    }
    ours = {
        "fgsm": dict(eps=0.03),
        "bim": dict(eps=0.03, step_size=0.005, steps=10),
        "pgd": dict(eps=0.03, step_size=0.007, steps=10, random_start=False),
        "mifgsm": dict(eps=0.03, step_size=0.003, steps=10),
    }
    for name, settings in ours.items():
        found = getattr(attacks, name)(model, images, labels, **settings)
        assert (found - theirs[name](images, labels)).abs().max() < 1e-6, name
    seen = foolbox.PyTorchModel(model, bounds=(0, 1))
    box = foolbox.attacks.LinfPGD(abs_stepsize=0.007, steps=10, random_start=False)
    _, clipped, _ = box(seen, images, labels, epsilons=[0.03])
    assert (attacks.pgd(model, images, labels, **ours["pgd"]) - clipped[0]).abs().max() < 1e-6


@pytest.mark.parametrize("name", ["pgd", "fgsm", "mifgsm"])
def test_in_l1_what_is_at_the_ends_of_the_box_takes_no_part(name):
    # The steepest values are black or white already, and could only leave the box.
    weight = torch.linspace(1, 2, 40, dtype=torch.float64) * (1 - 2 * (torch.arange(40) % 2))
    images = torch.full((1, 40), 0.5, dtype=torch.float64)
    images[0, 10:] = (weight[10:] > 0).double()

    def model(points):
        return torch.stack([points[:, 0] * 0, points @ weight], 1)

    found = getattr(attacks, name)(model, images, torch.tensor([0]), norm="L1", eps=3.0)
    delta = found - images
    assert not delta[0, 10:].any() and delta.abs().sum() <= 3.0
    # As far as a step in L1 can raise it: the steepest first, each to the end of the box.
    best = 0.5 * weight[:10].abs().sort(descending=True).values[:6].sum()
    assert (delta[0] * weight).sum() > 0.95 * best


def test_the_shares_of_square_follow_the_paper_or_the_number_of_queries():
    model, images = convnet(), samples(2, (3, 8, 8))
    one, other = (attacks.square(model, images, eps=0.02, queries=40, rescale=rescale) for rescale in (False, True))
    assert not torch.equal(one, other)
