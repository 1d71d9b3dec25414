"""The training loop: what each step takes, which epochs are kept, and what is refused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from attacks import AttackError
from attacks.training.events import BatchDone, EpochDone
from attacks.training.loop import train
from attacks.training.schedules import SCHEDULES
from attacks.training.settings import Settings
from attacks.training.weights import update_average
from tests.attacks.training.tiny_training import Bars, run_of, save, trained


@pytest.mark.parametrize("steps", (1, 10, 137))
def test_the_cyclic_rate_is_a_triangle(steps):
    total, rate = 5 * steps, 0.3
    ours = [rate * SCHEDULES["cyclic"](step / total) for step in range(total)]
    np.testing.assert_allclose(ours, np.interp(range(total), [0, 0.4 * total, total], [0, rate, 0]), atol=1e-12)


def test_the_loop_takes_the_rate_and_eps_of_every_step(tmp_path, monkeypatch):
    seen, data = [], Bars(40)
    run = run_of(defense="fgsm", epochs=5, batch_size=8, learning_rate=0.01, warm_up=2.0)

    def spied(batch):
        seen.append((run.optimizer.param_groups[0]["lr"], batch.eps))
        yield lambda: F.cross_entropy(batch.model(batch.images), batch.labels)

    monkeypatch.setattr("attacks.training.steps.defense_named", lambda name: spied)
    trained(run, data, data, tmp_path)
    rates, radii = zip(*seen, strict=True)
    np.testing.assert_allclose(rates, np.interp(range(25), [0, 10, 25], [0, 0.01, 0]), atol=1e-12)
    np.testing.assert_allclose(radii, np.interp(range(25), [0, 10], [0, run.settings.eps]), atol=1e-12)


def test_the_average_is_what_is_validated_and_written(tmp_path):
    run = run_of(defense="none", average=0.5, epochs=1, batch_size=8, learning_rate=0.05)
    average = {name: value.clone() for name, value in run.network.state_dict().items()}

    def follow(event):
        if isinstance(event, BatchDone):
            update_average(average, run.network, 0.5)

    trained(run, Bars(40), Bars(16, seed=1), tmp_path, watch=follow)
    written = torch.load(tmp_path / "last.pt", weights_only=True)["state"]
    assert all(torch.equal(value, average[name]) for name, value in written.items())
    assert not torch.equal(written["fc.weight"], run.network.fc.weight)


def test_it_ends_early_once_validation_gets_no_better(tmp_path, monkeypatch):
    scores = iter([0.0, 0.0, 0.0, 0.0, 0.5, 0.6, 0.55, 0.6, 0.5])
    monkeypatch.setattr(
        "attacks.training.validation.quick", lambda *_, **__: dict(clean=0.9, fgsm=0.6, pgd=next(scores, 0.5))
    )
    run = run_of(defense="fgsm", epochs=20, patience=3, guard=False, batch_size=16)
    assert len(trained(run, Bars(16), Bars(16), tmp_path)) == 9  # nothing counts before something withstands


@pytest.mark.parametrize("defense, chosen", (("fgsm", 1), ("none", 0)))
def test_the_best_epoch_is_kept_beside_the_last(tmp_path, monkeypatch, defense, chosen):
    scores = iter([(0.9, 0.3), (0.8, 0.5), (0.85, 0.4)])
    names = ("clean", "pgd")
    monkeypatch.setattr(
        "attacks.training.validation.quick",
        lambda *_, **__: {"fgsm": 0.6, **dict(zip(names, next(scores), strict=True))},
    )
    run, states = run_of(defense=defense, epochs=3, guard=False, batch_size=16), []

    def keep(event):
        if isinstance(event, EpochDone):
            states.append(run.network.fc.weight.detach().clone())

    trained(run, Bars(16), Bars(16), tmp_path, watch=keep)
    best, last = (torch.load(tmp_path / f"{which}.pt", weights_only=True) for which in ("best", "last"))
    assert torch.equal(best["state"]["fc.weight"], states[chosen])
    assert torch.equal(last["state"]["fc.weight"], states[2])


@pytest.mark.parametrize("attack_in, updates", (("eval", 0), ("train", 1)))
def test_the_mode_in_which_the_network_is_attacked(tmp_path, attack_in, updates):
    run = run_of(defense="fgsm", epochs=1, batch_size=16, attack_in=attack_in, guard=False)
    trained(run, Bars(16), Bars(16), tmp_path)
    assert run.network.bn.num_batches_tracked >= 1
    assert (run.network.bn.num_batches_tracked > 1) == bool(updates)


def test_free_trains_in_training_mode(tmp_path):
    run = run_of(defense="free", epochs=1, batch_size=16, options={"replays": 3})
    trained(run, Bars(32), Bars(16), tmp_path)
    assert run.network.bn.num_batches_tracked == 6


def test_a_loss_that_is_no_number_is_an_error(tmp_path):
    run = run_of(defense="none", epochs=1)
    with torch.no_grad():
        run.network.fc.bias[0] = torch.nan
    with pytest.raises(AttackError, match="the loss is not finite in epoch 1"):
        trained(run, Bars(16), Bars(16), tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_was_not_trained_is_no_checkpoint_to_go_on_from(tmp_path):
    with pytest.raises(AttackError, match="no checkpoint of a training run; it is left as it is"):
        train(run_of(epochs=1), Bars(16), Bars(16), tmp_path, save=save, resume={"epoch": 3})


def test_a_checkpoint_in_the_way_is_left(tmp_path):
    (tmp_path / "last.pt").write_text("mine")
    with pytest.raises(AttackError, match="is there already; go on with --resume"):
        trained(run_of(epochs=1), Bars(16), Bars(16), tmp_path)
    assert (tmp_path / "last.pt").read_text() == "mine"


def test_other_choices_are_refused_on_resuming(tmp_path):
    trained(run_of(defense="none", epochs=1), Bars(16), Bars(16), tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    other = run_of(defense="fast", epochs=1, eps=0.3, options={"step_size": 1.0})
    with pytest.raises(AttackError, match="with other defense, options, eps; go on with the same"):
        trained(other, Bars(16), Bars(16), tmp_path, resume=True)
    assert (tmp_path / "last.pt").read_bytes() == before


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
