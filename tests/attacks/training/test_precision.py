"""Training in low precision: as good, resumed exactly, and unharmed by what overflows."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attacks import AttackError
from attacks.training.defenses import defense_named
from attacks.training.events import EpochDone
from attacks.training.precision import GRADIENT_SCALE, with_scaled_gradients
from attacks.training.steps import train_epoch
from attacks.training.weights import perturbed
from tests.attacks.training.tiny_training import Bars, batch_of, keeping, net, run_of, trained

CHOICES = {"epochs": 4, "batch_size": 12, "learning_rate": 0.02, "warm_up": 1.0}
OPTIONS = {"free": {"replays": 4}, "trades": {"steps": 4}}


@pytest.mark.parametrize("precision", ("bf16", "fp16"))
@pytest.mark.parametrize("defense", ("fast", "free", "trades"))
def test_low_precision_trains_as_well(tmp_path, precision, defense):
    run = run_of(defense=defense, options=OPTIONS.get(defense, {}), precision=precision, **CHOICES)
    last = trained(run, Bars(240), Bars(100, seed=99), tmp_path)[-1]
    assert last["clean"] > 0.9 and last["pgd"] > 0.8
    assert {value.dtype for value in run.network.parameters()} == {torch.float32}


def test_passes_are_computed_in_the_precision_asked_for():
    seen = []
    for precision in ("float32", "bf16", "fp16"):
        run = run_of(precision=precision)
        run.network.conv.register_forward_hook(lambda module, given, found: seen.append(found.dtype))
        assert run.model(Bars(4).images).dtype == torch.float32
    assert seen == [torch.float32, torch.bfloat16, torch.float16]


def test_fp16_goes_on_exactly_with_its_scale(tmp_path):
    choices = {**CHOICES, "defense": "free", "precision": "fp16", "options": {"replays": 2}}
    data, held = Bars(60), Bars(40, seed=1)
    whole = begun(choices)
    trained(whole, data, held, tmp_path / "whole")

    def stop(event):
        if isinstance(event, EpochDone) and event.row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(begun(choices), data, held, tmp_path / "parts", watch=stop)
    kept = torch.load(tmp_path / "parts" / "last.pt", weights_only=True)["training"]["scaler"]
    assert kept["scale"] < 2.0**24 and kept["growth_interval"] == 3
    parts = run_of(**choices)
    trained(parts, data, held, tmp_path / "parts", resume=True)
    assert parts.scaler.state_dict() == whole.scaler.state_dict()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, parts.network.state_dict()[name]), name


def begun(choices: dict) -> object:
    """A run whose first steps overflow."""
    run = run_of(**choices)
    run.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**24, growth_interval=3)
    return run


def test_a_step_that_overflows_is_left_out():
    run = run_of(defense="free", precision="fp16", options={"replays": 3}, average=0.5, **CHOICES)
    run.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**24)
    before = {name: value.clone() for name, value in run.network.named_parameters()}
    steps = train_epoch(run, Bars(60), lambda *_: None)
    next(steps)
    assert all(torch.equal(value, before[name]) for name, value in run.network.named_parameters())
    assert run.scaler.get_scale() == 2.0**21  # halved at each of three
    assert run.memory["delta"].isfinite().all()
    for _ in steps:
        pass
    assert not torch.equal(run.network.fc.weight, before["fc.weight"])
    assert all(value.isfinite().all() for value in run.network.state_dict().values())


def test_gradients_that_never_are_finite_end_the_run(tmp_path):
    run = run_of(defense="none", precision="fp16", **CHOICES)
    run.network.fc.weight.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(
        AttackError, match="no gradient is finite in epoch 1; a smaller learning rate may help, or bf16"
    ):
        trained(run, Bars(2400), Bars(16), tmp_path)


class Faint(nn.Module):
    """A network whose gradient passes through values too small for fp16."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope, self.fc = slope, nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(images.flatten(1)) * self.slope


@pytest.mark.parametrize("slope", (1e-8, 1.0, 1e3))
def test_gradients_of_pictures_come_through_fp16(slope):
    torch.manual_seed(0)
    network, images = Faint(slope), torch.rand(3, 1, 2, 2, requires_grad=True)

    def narrow(points: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.float16):
            return network(points).float()

    expected = torch.autograd.grad(network(images)[:, 0].sum(), images)[0]
    found = torch.autograd.grad(with_scaled_gradients(narrow, images)[:, 0].sum(), images)[0]
    plain = torch.autograd.grad(narrow(images)[:, 0].sum(), images)[0]
    assert torch.equal(found.sign(), expected.sign()) and found.isfinite().all()
    assert bool(plain.any()) == (slope > 1e-6)  # what is lost without
    if slope * GRADIENT_SCALE < 6e4:
        torch.testing.assert_close(found, expected, rtol=3e-3, atol=3e-11)


def test_fast_sees_every_pixel_of_a_faint_network():
    run = run_of(defense="fast", precision="fp16")
    with torch.no_grad():
        run.network.fc.weight.mul_(1e-6)
    images, labels = Bars(16).batch(torch.arange(16))
    starts: list[Tensor] = []
    ends: list[Tensor] = []
    asked = {"model": keeping(run.model, ends), "attacked": keeping(run.evaluated, starts)}
    next(defense_named("fast")(batch_of(run, images, labels, eps=0.1, **asked)))()
    assert ((ends[0] - starts[0]).abs() > 1e-3).float().mean() > 0.9


def test_weights_are_not_perturbed_where_their_slope_overflows():
    network = net()
    images, labels = Bars(16).batch(torch.arange(16))
    before = network.fc.weight.detach().clone()
    with perturbed(network, lambda: F.cross_entropy(network(images), labels) * torch.inf, 0.05):
        assert torch.equal(network.fc.weight, before)
