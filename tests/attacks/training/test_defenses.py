"""Defenses: the papers' losses, and networks that become robust."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attacks.training import DEFENSES
from attacks.training.batch import Batch
from attacks.training.defenses import CAUTIOUS, defense_named
from attacks.training.defenses.mart import mart_loss
from tests.attack_nets import convnet, linear, samples
from tests.attacks.training.tiny_training import Bars, keeping, run_of, trained

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


def test_fast_takes_one_step_from_a_random_point_of_the_ball():
    """Of two classes of a linear model, the other one's weights less those of the label lead uphill from everywhere."""
    model, images, labels = linear((3, 6, 6), 2), batch()[0], torch.zeros(6, dtype=torch.long)
    away = (model[1].weight[1] - model[1].weight[0]).sign().view(3, 6, 6)
    starts: list[Tensor] = []
    ends: list[Tensor] = []
    (found,) = losses_of("fast", keeping(model, ends), images, labels, attacked=keeping(model, starts))
    start, end = starts[0] - images, ends[0] - images
    assert start.abs().max() <= EPS and abs(start.mean()) < 0.1 * EPS and abs(start.std() - EPS / 3**0.5) < 0.1 * EPS
    torch.testing.assert_close(end * away, (start * away + 1.25 * EPS).clamp(max=EPS))
    assert abs(found + at(model(images + end).softmax(1), labels).log().mean()) < 1e-9


def test_trades_is_equation_5():
    model, (images, labels) = smooth(), batch()
    trained_on: list[Tensor] = []
    (found,) = losses_of("trades", keeping(model, trained_on), images, labels, attacked=model, steps=STEPS, beta=6.0)
    clean, nearby = (model(points).softmax(1) for points in trained_on)
    assert torch.equal(trained_on[0], images)
    expected = (6 * divergence(clean, nearby) - at(clean, labels).log()).mean()
    assert abs(found - expected) < 1e-9 and divergence(clean, nearby).mean() > 0.01  # the attack has found something


def uphill(model: nn.Module, points: Tensor, clean: Tensor) -> Tensor:
    """Where the divergence from probabilities (n, C) grows: the logits' gradients, each weighed by what is too much."""
    points = points.clone().requires_grad_()
    logits = model(points)
    return torch.autograd.grad(logits, points, (logits.softmax(1) - clean).detach())[0]


def test_the_attack_of_trades_is_algorithm_1():
    model, (images, labels) = smooth(), batch()
    looked_at: list[Tensor] = []
    trained_on: list[Tensor] = []
    given = {"attacked": keeping(model, looked_at), "steps": STEPS, "step_size": 0.5}
    losses_of("trades", keeping(model, trained_on), images, labels, **given)
    clean, *way = looked_at
    way.append(trained_on[1])
    assert torch.equal(clean, images) and len(way) == STEPS + 1
    noise = way[0] - images
    assert abs(noise.std() - 0.001) < 1e-4 and abs(noise.mean()) < 1e-4
    for here, there in pairwise(way):
        step = 0.5 * EPS * uphill(model, here, model(clean).softmax(1)).sign()
        assert (there - (here + step).clamp(images - EPS, images + EPS)).abs().max() < 1e-12


def equation_11(clean: Tensor, nearby: Tensor, labels: Tensor, weight: float) -> Tensor:
    """MART's loss of clean and adversarial probabilities (n, C)."""
    others = nearby.masked_fill(F.one_hot(labels, nearby.shape[1]).bool(), 0)
    boosted = -at(nearby, labels).log() - (1 - others.amax(1)).log()
    return (boosted + weight * divergence(clean, nearby) * (1 - at(clean, labels))).mean()


def test_mart_is_equation_11():
    model, (images, labels) = smooth(), batch()
    trained_on: list[Tensor] = []
    (found,) = losses_of("mart", keeping(model, trained_on), images, labels, attacked=model, steps=STEPS)
    clean, nearby = trained_on
    assert torch.equal(clean, images) and 0 < (nearby - images).abs().max() <= EPS
    # But for the small constants of the authors' code.
    expected = equation_11(model(clean).softmax(1), model(nearby).softmax(1), labels, 5.0)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-3, atol=0)


def test_mart_takes_the_likeliest_other_class_where_the_label_is_not_the_likeliest():
    clean, nearby = torch.randn(2, 40, 5, dtype=torch.float64).unbind()
    labels = torch.arange(40) % 5
    expected = equation_11(clean.softmax(1), nearby.softmax(1), labels, 5.0)
    torch.testing.assert_close(mart_loss(clean, nearby, labels, 5.0), expected, rtol=1e-3, atol=0)


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
