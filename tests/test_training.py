"""Training with defenses: the papers' losses, exact resumption, and what goes wrong is noticed."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attacks import AttackError
from attacks.training import DEFENSES, checkpoint
from attacks.training.defenses import CAUTIOUS, defense_named
from attacks.training.defenses.mart import mart_loss
from attacks.training.guard import holds, trouble
from attacks.training.loop import train
from attacks.training.schedules import SCHEDULES
from attacks.training.settings import Settings
from attacks.training.weights import average_in, in_place_of, perturbed
from tests.attack_nets import convnet, samples
from tests.tiny_training import Bars, net, run_of

# What a batch is attacked with in all tests of losses.
EPS, STEPS = 0.1, 4


def losses_of(name: str, model: nn.Module, images: Tensor, labels: Tensor, **options: object) -> list:
    """What a defense yields, evaluated as it comes; gradients of the weights are taken as the loop takes them."""
    generator = torch.Generator().manual_seed(3)
    memory: dict[str, Tensor] = {}
    settings = {"attacked": model, "eps": EPS, "generator": generator, "memory": memory, **options}
    found = []
    for loss_of in defense_named(name)(model, images, labels, **settings):
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


def authors_trades(model: nn.Module, x_natural: Tensor, y: Tensor, noise: Tensor, *, step_size: float) -> Tensor:
    """``trades_loss`` of the authors' trades.py for Linf, beta 6."""
    criterion_kl = nn.KLDivLoss(reduction="sum")
    batch_size = len(x_natural)
    x_adv = x_natural.detach() + 0.001 * noise
    for _ in range(STEPS):
        x_adv.requires_grad_()
        loss_kl = criterion_kl(F.log_softmax(model(x_adv), dim=1), F.softmax(model(x_natural), dim=1))
        grad = torch.autograd.grad(loss_kl, [x_adv])[0]
        x_adv = x_adv.detach() + step_size * torch.sign(grad.detach())
        x_adv = torch.min(torch.max(x_adv, x_natural - EPS), x_natural + EPS)
        x_adv = torch.clamp(x_adv, 0.0, 1.0)
    logits = model(x_natural)
    loss_natural = F.cross_entropy(logits, y)
    kl = criterion_kl(F.log_softmax(model(x_adv), dim=1), F.softmax(model(x_natural), dim=1))
    return loss_natural + 6.0 * (1.0 / batch_size) * kl


def authors_mart(logits: Tensor, logits_adv: Tensor, y: Tensor) -> Tensor:
    """The loss of the authors' mart.py, beta 5, from the logits on."""
    kl = nn.KLDivLoss(reduction="none")
    batch_size = len(logits)
    adv_probs = F.softmax(logits_adv, dim=1)
    tmp1 = torch.argsort(adv_probs, dim=1)[:, -2:]
    new_y = torch.where(tmp1[:, -1] == y, tmp1[:, -2], tmp1[:, -1])
    loss_adv = F.cross_entropy(logits_adv, y) + F.nll_loss(torch.log(1.0001 - adv_probs + 1e-12), new_y)
    nat_probs = F.softmax(logits, dim=1)
    true_probs = torch.gather(nat_probs, 1, y.unsqueeze(1).long()).squeeze()
    loss_robust = (1.0 / batch_size) * torch.sum(
        torch.sum(kl(torch.log(adv_probs + 1e-12), nat_probs), dim=1) * (1.0000001 - true_probs)
    )
    return loss_adv + 5.0 * loss_robust


def test_trades_is_the_authors():
    model, (images, labels) = smooth(), batch()
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(3)).to(images)
    (ours,) = losses_of("trades", model, images, labels, steps=STEPS, step_size=0.5)
    theirs = authors_trades(model, images, labels, noise, step_size=0.5 * EPS)
    assert (ours - theirs).abs() < 1e-6
    assert theirs > F.cross_entropy(model(images), labels) + 0.01  # the attack has found something


def test_mart_is_the_authors():
    model, (images, labels) = smooth(), batch()
    seen = []

    def recorded(points: Tensor) -> Tensor:
        seen.append(points)
        return model(points)

    (ours,) = losses_of("mart", recorded, images, labels, attacked=model, steps=STEPS)
    clean, adversarial = seen
    assert torch.equal(clean, images) and 0 < (adversarial - images).abs().max() <= EPS
    assert (ours - authors_mart(model(clean), model(adversarial), labels)).abs() < 1e-6


def test_mart_takes_the_likeliest_other_class_where_the_label_is_not_the_likeliest():
    logits, nearby = torch.randn(2, 40, 5, dtype=torch.float64).unbind()
    labels = torch.arange(40) % 5
    assert (mart_loss(logits, nearby, labels, 5.0) - authors_mart(logits, nearby, labels)).abs() < 1e-6


def test_fast_is_one_step_from_a_random_start():
    model, (images, labels) = smooth(), batch()
    (ours,) = losses_of("fast", model, images, labels)
    noise = torch.rand(images.shape, generator=torch.Generator().manual_seed(3)).to(images)
    delta = ((2 * noise - 1) * EPS).requires_grad_()
    slope = torch.autograd.grad(F.cross_entropy(model(images + delta), labels), delta)[0]
    delta = (delta + 1.25 * EPS * slope.sign()).clamp(-EPS, EPS).detach()
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


@pytest.mark.parametrize("steps", (1, 10, 137))
def test_the_cyclic_rate_is_a_triangle(steps):
    total, rate = 5 * steps, 0.3
    ours = [rate * SCHEDULES["cyclic"](step / total) for step in range(total)]
    np.testing.assert_allclose(ours, np.interp(range(total), [0, 0.4 * total, total], [0, rate, 0]), atol=1e-12)


def test_the_loop_takes_the_rate_and_eps_of_every_step(tmp_path, monkeypatch):
    seen, data = [], Bars(40)
    run = run_of(defense="fgsm", epochs=5, batch_size=8, learning_rate=0.01, warm_up=2.0)

    def spied(model, images, labels, *, eps, **others):
        seen.append((run.optimizer.param_groups[0]["lr"], eps))
        yield lambda: F.cross_entropy(model(images), labels)

    monkeypatch.setattr("attacks.training.steps.defense_named", lambda name: spied)
    train(run, data, data, tmp_path)
    rates, radii = zip(*seen, strict=True)
    np.testing.assert_allclose(rates, np.interp(range(25), [0, 10, 25], [0, 0.01, 0]), atol=1e-12)
    np.testing.assert_allclose(radii, np.interp(range(25), [0, 10], [0, run.settings.eps]), atol=1e-12)


@pytest.mark.parametrize("fails", (False, True))
def test_weight_perturbation_restores_every_tensor(fails):
    network = net().train()
    images, labels = Bars(16).batch(torch.arange(16))
    before = {name: value.clone() for name, value in network.state_dict().items()}

    def loss_of() -> Tensor:
        torch.manual_seed(0)  # of dropout
        return F.cross_entropy(network(images), labels)

    plain = loss_of()
    network.load_state_dict(before)
    try:
        with perturbed(network, loss_of, 0.05):
            assert loss_of() > plain + 1e-4
            moved = network.conv.weight - before["conv.weight"]
            torch.testing.assert_close(moved.norm(), 0.05 * before["conv.weight"].norm())
            assert torch.equal(network.conv.bias, before["conv.bias"])  # no matrix
            network.load_state_dict({**network.state_dict(), **dict(buffers_of(before, network))})
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert fails
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.grad is None for parameter in network.parameters())


def buffers_of(state: dict[str, Tensor], network: nn.Module) -> list[tuple[str, Tensor]]:
    """The buffers among a state."""
    return [(name, state[name]) for name, _ in network.named_buffers()]


def test_weight_perturbation_leaves_the_buffers_when_looking():
    network = net().train()
    images, labels = Bars(16).batch(torch.arange(16))
    before = {name: value.clone() for name, value in network.named_buffers()}
    with perturbed(network, lambda: F.cross_entropy(network(images), labels), 0.05):
        for name, value in network.named_buffers():
            assert torch.equal(value, before[name]), name


def test_a_loss_that_fails_under_weight_perturbation_leaves_all_as_it_was():
    network = net().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images, _ = Bars(16).batch(torch.arange(16))

    def fails() -> Tensor:
        network(images)
        raise AttackError("no loss")

    with pytest.raises(AttackError, match="no loss"), perturbed(network, fails, 0.05):
        pass
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_average_is_exponential():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).double()
    average = {name: value.clone() for name, value in network.state_dict().items()}
    expected = average["0.weight"].clone()
    values = [expected.clone()]
    for step in range(1, 6):
        with torch.no_grad():
            network[0].weight.copy_(torch.full((2, 2), float(step)))
            network[1].num_batches_tracked.fill_(step)
        values.append(network[0].weight.detach().clone())
        average_in(average, network, 0.9)
    expected = sum(0.1 * 0.9 ** (5 - step) * values[step] for step in range(1, 6)) + 0.9**5 * values[0]
    torch.testing.assert_close(average["0.weight"], expected, rtol=1e-12, atol=1e-12)
    assert average["1.num_batches_tracked"] == 5
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match="inside"), in_place_of(network, average):
        assert torch.equal(network[0].weight, average["0.weight"])
        raise ValueError("inside")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_average_is_what_is_validated_and_written(tmp_path):
    run = run_of(defense="none", average=0.5, epochs=1, batch_size=8, learning_rate=0.05)
    average = {name: value.clone() for name, value in run.network.state_dict().items()}

    def follow(kind, numbers):
        if kind == "batch":
            average_in(average, run.network, 0.5)

    train(run, Bars(40), Bars(16, seed=1), tmp_path, watch=follow)
    written = torch.load(tmp_path / "last.pt", weights_only=True)["state"]
    assert all(torch.equal(value, average[name]) for name, value in written.items())
    assert not torch.equal(written["fc.weight"], run.network.fc.weight)


def epochs(*rows: tuple[float, float, float]) -> list[dict[str, float]]:
    """A history from clean, FGSM and PGD accuracies; an epoch in trouble is marked as the loop marks it."""
    history: list[dict] = []
    for row in rows:
        history.append(dict(zip(("clean", "fgsm", "pgd"), row, strict=True)))
        if wrong := trouble(history, 10):
            history[-1]["trouble"] = wrong
    return history


def marks(history: list[dict]) -> list[str]:
    """The first word of every epoch's trouble, or nothing."""
    return [epoch.get("trouble", "").partition(" ")[0] for epoch in history]


FINE = (0.95, 0.7, 0.6)


@pytest.mark.parametrize(
    "rows",
    (
        [FINE, (0.96, 0.72, 0.62), (0.96, 0.7, 0.55)],  # it wavers
        [FINE, (0.9, 0.5, 0.45)],  # both fall
        [(0.1, 0.1, 0.1)] * 6 + [(0.3, 0.2, 0.1), FINE],  # it starts late
        [(0.97, 0.1, 0.0)] * 4,  # eps is still small, or there is no defense
        [(0.8, 0.05, 0.0), (0.9, 0.35, 0.07), (0.95, 0.5, 0.2), FINE],  # eps grows
    ),
)
def test_the_guard_lets_pass(rows):
    assert not any(marks(epochs(*rows)))


def test_the_guard_sees_catastrophic_overfitting():
    history = epochs(FINE, (0.97, 0.9, 0.3), (0.96, 0.72, 0.62))
    assert marks(history) == ["", "catastrophic", ""]
    assert "90% withstand one step, but only 30% several, after 60% before" in history[1]["trouble"]


def test_the_guard_sees_overfitting_of_what_was_never_robust():
    rows = [(0.35, 0.11, 0.09), (0.55, 0.33, 0.06), (0.73, 0.47, 0.0)]  # seen with fgsm on digits at eps 0.3
    assert marks(epochs(*rows)) == ["", "", "catastrophic"]


@pytest.mark.parametrize(
    "epoch, classes, defended, worth",
    (
        ((0.9, 0.3, 0.2), 10, True, True),
        ((0.9, 0.3, 0.1), 10, True, False),
        ((0.9, 0.3, 0.1), 10, False, True),
        ((0.7, 0.6, 0.56), 2, True, True),
        ((0.3, 0.1, 0.02), 100, True, True),
    ),
)
def test_what_is_worth_going_back_to_holds_better_than_one_answer_for_all(epoch, classes, defended, worth):
    row = dict(zip(("clean", "fgsm", "pgd"), epoch, strict=True))
    assert holds(row, classes, defended=defended) == worth


def test_the_guard_lets_the_undefended_alone():
    history = [dict(clean=0.9, fgsm=0.6, pgd=0.5), dict(clean=0.95, fgsm=0.6, pgd=0.1)]
    assert trouble(history, 10) and trouble(history, 10, defended=False) is None


def test_the_guard_sees_collapse():
    history = epochs(FINE, (0.1, 0.1, 0.1))
    assert marks(history) == ["", "collapse:"]
    # It never finds a way in, and after going back gets as much time as before.
    assert [number for number, mark in enumerate(marks(epochs(*[(0.11, 0.11, 0.11)] * 17)), start=1) if mark] == [8, 16]


@pytest.mark.parametrize("proven", (True, False))
def test_the_guard_goes_back_to_what_was_good(tmp_path, monkeypatch, proven):
    run, data = run_of(defense="fgsm", epochs=11, batch_size=8), Bars(24)
    weights, told = {0: run.network.fc.weight.detach().clone()}, iter([None, "made up"])
    monkeypatch.setattr("attacks.training.validation.trouble", lambda *_, **__: next(told, None))
    monkeypatch.setattr("attacks.training.validation.holds", lambda *_, **__: proven)

    def watch(kind, numbers):
        if kind == "epoch":
            weights[numbers["epoch"]] = run.network.fc.weight.detach().clone()

    history = train(run, data, data, tmp_path, watch=watch)
    assert [number for number, row in enumerate(history, start=1) if row.get("trouble")] == [2]
    assert torch.equal(weights[2], weights[1 if proven else 0])
    assert not torch.equal(weights[1], weights[0]) and not torch.equal(weights[3], weights[2])
    assert run.cautious and run.scale == (0.5 if proven else 1.0)
    assert run.ramp == ((0.0, 0.0) if proven else (2.0, 1.8))  # a fifth of the nine epochs that are left


def test_the_guard_may_be_told_to_let_it_be(tmp_path, monkeypatch):
    run, data = run_of(defense="fgsm", epochs=1, batch_size=8, guard=False), Bars(24)
    monkeypatch.setattr("attacks.training.validation.trouble", lambda *_, **__: "made up")
    before = run.network.fc.weight.detach().clone()
    assert train(run, data, data, tmp_path)[0]["trouble"] == "made up"
    assert run.scale == 1 and not run.cautious and not torch.equal(before, run.network.fc.weight)


@pytest.mark.parametrize("name", CAUTIOUS)
def test_what_is_done_with_caution_is_an_option_of_the_defense(name):
    model, (images, labels) = smooth(), batch()
    assert losses_of(name, model, images, labels, **CAUTIOUS[name])[0] != losses_of(name, model, images, labels)[0]


def test_it_ends_early_once_validation_gets_no_better(tmp_path, monkeypatch):
    scores = iter([0.0, 0.0, 0.0, 0.0, 0.5, 0.6, 0.55, 0.6, 0.5])
    monkeypatch.setattr(
        "attacks.training.validation.quick", lambda *_, **__: dict(clean=0.9, fgsm=0.6, pgd=next(scores, 0.5))
    )
    run = run_of(defense="fgsm", epochs=20, patience=3, guard=False, batch_size=16)
    assert len(train(run, Bars(16), Bars(16), tmp_path)) == 9  # nothing counts before something withstands


@pytest.mark.parametrize("defense, chosen", (("fgsm", 1), ("none", 0)))
def test_the_best_epoch_is_kept_beside_the_last(tmp_path, monkeypatch, defense, chosen):
    scores = iter([(0.9, 0.3), (0.8, 0.5), (0.85, 0.4)])
    names = ("clean", "pgd")
    monkeypatch.setattr(
        "attacks.training.validation.quick",
        lambda *_, **__: {"fgsm": 0.6, **dict(zip(names, next(scores), strict=True))},
    )
    run, states = run_of(defense=defense, epochs=3, guard=False, batch_size=16), []

    def keep(kind, numbers):
        if kind == "epoch":
            states.append(run.network.fc.weight.detach().clone())

    train(run, Bars(16), Bars(16), tmp_path, watch=keep, head={"made": "here"})
    best, last = (torch.load(tmp_path / f"{which}.pt", weights_only=True) for which in ("best", "last"))
    assert torch.equal(best["state"]["fc.weight"], states[chosen])
    assert torch.equal(last["state"]["fc.weight"], states[2])
    assert best["made"] == last["made"] == "here"


@pytest.mark.parametrize("name", DEFENSES)
def test_inner_attacks_leave_buffers_modes_and_generators_alone(name):
    run = run_of(defense=name)
    run.network.train()
    images, labels = Bars(16).batch(torch.arange(16))
    before = {name: value.clone() for name, value in run.network.named_buffers()}
    state, modes = torch.get_rng_state(), [module.training for module in run.network.modules()]
    options = {"attacked": run.evaluated, "eps": 0.2, "generator": run.generator, "memory": {}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss_of = next(defense_named(name)(run.model, images, labels, **options))
    assert all(torch.equal(value, before[name]) for name, value in run.network.named_buffers())
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in run.network.modules()] == modes and all(modes)
    assert all(parameter.grad is None for parameter in run.network.parameters())
    loss_of()
    assert run.network.bn.num_batches_tracked == before["bn.num_batches_tracked"] + (2 if name in TWICE else 1)


TWICE = ("trades", "mart")  # they look at clean and at adversarial pictures


@pytest.mark.parametrize("attack_in, updates", (("eval", 0), ("train", 1)))
def test_the_mode_in_which_the_network_is_attacked(tmp_path, attack_in, updates):
    run = run_of(defense="fgsm", epochs=1, batch_size=16, attack_in=attack_in, guard=False)
    train(run, Bars(16), Bars(16), tmp_path)
    assert run.network.bn.num_batches_tracked >= 1
    assert (run.network.bn.num_batches_tracked > 1) == bool(updates)


def test_free_trains_in_training_mode(tmp_path):
    run = run_of(defense="free", epochs=1, batch_size=16, options={"replays": 3})
    train(run, Bars(32), Bars(16), tmp_path)
    assert run.network.bn.num_batches_tracked == 6


def test_a_loss_that_is_no_number_is_an_error(tmp_path):
    run = run_of(defense="none", epochs=1)
    with torch.no_grad():
        run.network.fc.bias[0] = torch.nan
    with pytest.raises(AttackError, match="the loss is not finite in epoch 1"):
        train(run, Bars(16), Bars(16), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    (b"", b"PK\x03\x04 and nothing else", b"no checkpoint at all", None),
    ids=("empty", "cut", "text", "foreign"),
)
def test_what_is_no_checkpoint_is_refused_and_left(tmp_path, content):
    last = tmp_path / "last.pt"
    if content is None:
        torch.save({"state": {"fc.weight": torch.zeros(2)}}, last)
    else:
        last.write_bytes(content)
    before = last.read_bytes()
    for resume, message in ((True, "no checkpoint of a training run; it is left as it is"), (False, "there already")):
        with pytest.raises(AttackError, match=message) as caught:
            train(run_of(epochs=1), Bars(16), Bars(16), tmp_path, resume=resume)
        assert "\n" not in str(caught.value)
    assert last.read_bytes() == before and list(tmp_path.iterdir()) == [last]


def test_every_cut_of_a_checkpoint_is_refused(tmp_path):
    last = tmp_path / "last.pt"
    train(run_of(defense="none", epochs=1), Bars(16), Bars(16), tmp_path)
    whole = last.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.99):
        last.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(AttackError, match="damaged"):
            checkpoint.read(last)


def test_other_choices_are_refused_on_resuming(tmp_path):
    train(run_of(defense="none", epochs=1), Bars(16), Bars(16), tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    other = run_of(defense="fast", epochs=1, eps=0.3, options={"step_size": 1.0})
    with pytest.raises(AttackError, match="with other defense, options, eps; go on with the same"):
        train(other, Bars(16), Bars(16), tmp_path, resume=True)
    assert (tmp_path / "last.pt").read_bytes() == before


def test_there_must_be_something_to_go_on_from(tmp_path):
    with pytest.raises(AttackError, match="leave out --resume to begin"):
        train(run_of(epochs=1), Bars(16), Bars(16), tmp_path, resume=True)


@pytest.mark.parametrize(
    "wrong, message",
    (
        ({"defense": "fgms"}, "defense is one of none, fgsm"),
        ({"optimizer": "adagrad"}, "optimizer is one of sgd"),
        ({"schedule": "linear"}, "schedule is one of cyclic"),
        ({"epochs": 0}, "epochs is 1 or more"),
        ({"eps": -0.1}, "eps is 0 or more"),
        ({"average": 1.0}, "average is a decay below 1"),
    ),
)
def test_choices_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(AttackError, match=message):
        Settings(**wrong)


def robust(name: str, folder: Path) -> float:
    """Accuracy under PGD of a tiny network trained with a defense."""
    options = {"free": {"replays": 4}} | dict.fromkeys(("pgd", "trades", "mart"), {"steps": 4})
    run = run_of(defense=name, options=options.get(name, {}), epochs=4, batch_size=12, learning_rate=0.02, warm_up=1.0)
    return train(run, Bars(240), Bars(100, seed=99), folder)[-1]["pgd"]


@pytest.fixture(scope="module")
def undefended(tmp_path_factory) -> float:
    """The same of one that is not defended."""
    return robust("none", tmp_path_factory.mktemp("none"))


@pytest.mark.parametrize("name", [name for name in DEFENSES if name != "none"])
def test_every_defense_makes_a_tiny_network_robust(name, tmp_path, undefended):
    assert robust(name, tmp_path) >= undefended + 0.3
