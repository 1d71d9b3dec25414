"""Defenses: the papers' losses, and networks that become robust."""

import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attacks import GradientWarning
from attacks.training import DEFENSES
from attacks.training.batch import Batch
from attacks.training.defenses import CAUTIOUS, defense_named
from attacks.training.defenses.mart import mart_loss
from tests.attack_nets import convnet, samples
from tests.attacks.training.tiny_training import Bars, batch_of, run_of, trained
from tests.state import left_as_found

# What a batch is attacked with in all tests of losses.
EPS, STEPS = 0.1, 4


def losses_of(name: str, model: nn.Module, images: Tensor, labels: Tensor, **changes: object) -> list:
    """What a defense yields, evaluated as it comes; gradients of the weights are taken as the loop takes them."""
    given = {"attacked": model, "eps": EPS, "generator": torch.Generator().manual_seed(3), "memory": {}}
    options = {name: value for name, value in changes.items() if name not in given}
    given |= {name: value for name, value in changes.items() if name in given}
    found = []
    for loss_of in defense_named(name)(Batch(model=model, images=images, labels=labels, **given), **options):
        loss = loss_of()
        loss.backward()
        found.append(loss.detach())
    return found


def batch() -> tuple[Tensor, Tensor]:
    """(6, 3, 6, 6) images and (6,) labels of five classes."""
    return samples(6, (3, 6, 6)), torch.tensor([0, 1, 2, 3, 4, 0])


def smooth() -> nn.Module:
    """Convolutions without kinks, so that tiny differences stay tiny."""
    model = convnet(seed=2)
    model[2], model[4] = nn.Softplus(), nn.Softplus()
    return model


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """(n,) KL(p || q) of distributions (n, C), by its definition."""
    return (p * (p / q).log()).sum(1)


def at(probabilities: Tensor, labels: Tensor) -> Tensor:
    """(n,) the probabilities (n, C) of the labels (n,)."""
    return probabilities[torch.arange(len(labels)), labels]


def test_trades_is_equation_5_with_the_attack_of_algorithm_1():
    model, (images, labels) = smooth(), batch()
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(3)).to(images)
    clean = model(images).softmax(1)
    nearby = images + 0.001 * noise
    for _ in range(STEPS):
        nearby.requires_grad_()
        uphill = torch.autograd.grad(divergence(clean.detach(), model(nearby).softmax(1)).sum(), nearby)[0]
        moved = (nearby + 0.5 * EPS * uphill.sign()).detach()
        nearby = (images + (moved - images).clamp(-EPS, EPS)).clamp(0, 1)
    natural = -at(clean, labels).log().mean()
    boundary = divergence(clean, model(nearby).softmax(1)).mean()
    (found,) = losses_of("trades", model, images, labels, steps=STEPS, step_size=0.5, beta=6.0)
    assert abs(found - (natural + 6 * boundary)) < 1e-6 and boundary > 0.01  # the attack has found something


def equation_11(clean: Tensor, nearby: Tensor, labels: Tensor, weight: float) -> Tensor:
    """MART's loss of clean and adversarial probabilities (n, C)."""
    others = nearby.masked_fill(F.one_hot(labels, nearby.shape[1]).bool(), 0)
    boosted = -at(nearby, labels).log() - (1 - others.amax(1)).log()
    return (boosted + weight * divergence(clean, nearby) * (1 - at(clean, labels))).mean()


def test_mart_is_equation_11():
    model, (images, labels) = smooth(), batch()
    asked = []

    def recorded(points: Tensor) -> Tensor:
        asked.append(points)
        return model(points)

    (found,) = losses_of("mart", recorded, images, labels, attacked=model, steps=STEPS)
    clean, nearby = asked
    assert torch.equal(clean, images) and 0 < (nearby - images).abs().max() <= EPS
    # But for the small constants of the authors' code.
    expected = equation_11(model(clean).softmax(1), model(nearby).softmax(1), labels, 5.0)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-3, atol=0)


def test_mart_takes_the_likeliest_other_class_where_the_label_is_not_the_likeliest():
    clean, nearby = torch.randn(2, 40, 5, dtype=torch.float64).unbind()
    labels = torch.arange(40) % 5
    expected = equation_11(clean.softmax(1), nearby.softmax(1), labels, 5.0)
    torch.testing.assert_close(mart_loss(clean, nearby, labels, 5.0), expected, rtol=1e-3, atol=0)


def test_fast_is_one_step_from_a_random_start():
    model, (images, labels) = smooth(), batch()
    (ours,) = losses_of("fast", model, images, labels)
    noise = torch.rand(images.shape, generator=torch.Generator().manual_seed(3)).to(images)
    delta = ((2 * noise - 1) * EPS).requires_grad_()
    gradient = torch.autograd.grad(F.cross_entropy(model(images + delta), labels), delta)[0]
    delta = (delta + 1.25 * EPS * gradient.sign()).clamp(-EPS, EPS).detach()
    assert (ours - F.cross_entropy(model((images + delta).clamp(0, 1)), labels)).abs() < 1e-9


def test_free_replays_the_batch_and_carries_the_perturbation():
    model, (images, labels) = smooth(), batch()
    memory: dict[str, Tensor] = {}
    found = losses_of("free", model, images, labels, memory=memory, replays=3, step_size=0.5)
    assert len(found) == 3 and found[0] < found[1] < found[2]  # no step of the weights in between
    assert 0 < memory["delta"].abs().max() <= EPS
    again = losses_of("free", model, images[:2], labels[:2], memory=dict(memory), replays=1)
    expected = F.cross_entropy(model((images + memory["delta"])[:2].clamp(0, 1)), labels[:2])
    assert (again[0] - expected).abs() < 1e-9
    shrunk = losses_of("free", model, images, labels, memory=memory, replays=1, eps=0.0)
    assert (shrunk[0] - F.cross_entropy(model(images), labels)).abs() < 1e-9


def test_free_moves_black_pixels_again_that_were_pushed_below_black():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False)).double()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[-1.0, -1, -1, -1], [1, 1, 1, 1]]))
    images, labels = torch.zeros(1, 1, 2, 2, dtype=torch.float64), torch.tensor([0])
    memory = {"delta": torch.full_like(images, -EPS)}
    losses_of("free", model, images, labels, memory=memory, replays=1)
    assert torch.equal(memory["delta"], torch.full_like(images, EPS))


@pytest.mark.parametrize("name", CAUTIOUS)
def test_what_is_done_with_caution_is_an_option_of_the_defense(name):
    model, (images, labels) = smooth(), batch()
    assert losses_of(name, model, images, labels, **CAUTIOUS[name])[0] != losses_of(name, model, images, labels)[0]


TWICE = ("trades", "mart")  # they look at clean and at adversarial images


@pytest.mark.parametrize("name", DEFENSES)
def test_inner_attacks_leave_everything_as_found(name):
    run = run_of(defense=name)
    run.network.train()
    images, labels = Bars(16).batch(torch.arange(16))
    with warnings.catch_warnings(), left_as_found(run.network, images, labels):
        warnings.simplefilter("ignore", GradientWarning)
        loss_of = next(defense_named(name)(batch_of(run, images, labels)))
    loss_of()
    assert run.network.bn.num_batches_tracked == (2 if name in TWICE else 1)


def robust(name: str, folder: Path) -> float:
    """Accuracy under PGD of a tiny network trained with a defense."""
    options = {"free": {"replays": 4}} | dict.fromkeys(("pgd", "trades", "mart"), {"steps": 4})
    run = run_of(defense=name, options=options.get(name, {}), epochs=4, batch_size=12, learning_rate=0.02, warm_up=1.0)
    return trained(run, Bars(240), Bars(100, seed=99), folder)[-1]["pgd"]


@pytest.fixture(scope="module")
def undefended(tmp_path_factory) -> float:
    """The same of one that is not defended."""
    return robust("none", tmp_path_factory.mktemp("none"))


@pytest.mark.parametrize("name", [name for name in DEFENSES if name != "none"])
def test_every_defense_makes_a_tiny_network_robust(name, tmp_path, undefended):
    assert robust(name, tmp_path) >= undefended + 0.3
