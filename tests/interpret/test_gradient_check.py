"""Gradients against central differences: what agrees, what is a kink, what is wrong."""

import pytest
import torch
from torch import nn

from interpret import Classifier, check_gradient
from interpret.gradient_check import STEP
from tests.state import left_as_found
from tests.tiny import SmallCNN


def smooth():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(256, 6), nn.Tanh(), nn.Linear(6, 4))


def picture():
    return torch.rand(1, 3, 10, 10)


def verdicts(*args, **options):
    return {checked.verdict for checked in check_gradient(*args, **options)}


def test_a_smooth_network_agrees_everywhere():
    checked = check_gradient(smooth(), picture(), 1, pixels=300)
    assert {entry.verdict for entry in checked} == {"agrees"}
    assert len({(entry.channel, entry.row, entry.column) for entry in checked}) == 300, "every place once"
    assert max(entry.error for entry in checked) < 1e-5


def test_the_places_and_numbers_are_those_of_the_picture():
    """A linear network, whose gradient is known at each place."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 5, 2))
    weight = network[1].weight[1].detach().view(3, 4, 5)
    for entry in check_gradient(network, torch.rand(1, 3, 4, 5), 1, pixels=60):
        expected = float(weight[entry.channel, entry.row, entry.column])
        assert entry.analytic == pytest.approx(expected) and entry.numeric == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("how", ["contiguous", "channels_last", "part of a larger one", "requires grad"])
def test_any_layout(how):
    images = picture()
    expected = check_gradient(smooth(), images, 1, pixels=5)
    if how == "channels_last":
        images = images.to(memory_format=torch.channels_last)
    elif how == "part of a larger one":
        images = torch.cat([images, images], 3)[..., :10]
    elif how == "requires grad":
        images.requires_grad_()
    for found, wanted in zip(check_gradient(smooth(), images, 1, pixels=5), expected, strict=True):
        assert (found.channel, found.row, found.column) == (wanted.channel, wanted.row, wanted.column)
        assert found.analytic == pytest.approx(wanted.analytic) and found.verdict == "agrees"


class Kink(nn.Module):
    """A ReLU that switches at one value of the first pixel."""

    def __init__(self, at):
        super().__init__()
        self.at = at
        self.rest = nn.Linear(3 * 4, 2)

    def forward(self, images):
        kink = torch.relu(images[:, :1, 0, 0] - self.at) * torch.tensor([1.0, 0.5]).to(images)
        return self.rest(images.flatten(1)) + kink


@pytest.mark.parametrize("away", [0.0, 0.3, -0.3, 0.95, -0.95], ids=lambda away: f"{away} of a step away")
def test_a_planted_kink_is_found(away):
    images = torch.full((1, 3, 2, 2), 0.5)
    checked = check_gradient(Kink(0.5 + away * STEP), images, 1, pixels=12)
    found = {(entry.channel, entry.row, entry.column): entry.verdict for entry in checked}
    assert found.pop((0, 0, 0)) == "kink"
    assert set(found.values()) == {"agrees"}


@pytest.mark.parametrize("away", [3, -3])
def test_a_kink_outside_the_step_does_not_matter(away):
    images = torch.full((1, 3, 2, 2), 0.5)
    assert verdicts(Kink(0.5 + away * STEP), images, 1, pixels=12) == {"agrees"}


class Doubled(torch.autograd.Function):
    """The identity, with a backward pass that is not its derivative."""

    @staticmethod
    def forward(ctx, values, factor):
        ctx.factor = factor
        return values.clone()

    @staticmethod
    def backward(ctx, above):
        return ctx.factor * above, None


class Wrong(nn.Module):
    def __init__(self, network, factor):
        super().__init__()
        self.network, self.factor = network, factor

    def forward(self, images):
        return self.network(Doubled.apply(images, self.factor))


@pytest.mark.parametrize("factor", [2.0, 1.001, 0.0, -1.0])
def test_a_wrong_backward_pass_is_found(factor):
    assert verdicts(Wrong(smooth(), factor), picture(), 1, pixels=30) == {"differs"}


def test_a_wrong_backward_pass_is_no_kink_in_a_network_of_relus():
    torch.manual_seed(3)
    assert verdicts(Wrong(SmallCNN().eval(), 2.0), picture(), 1, pixels=30) == {"differs"}


def test_a_detached_path_is_found():
    class Detached(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = smooth()

        def forward(self, images):
            return self.network(images) + self.network(images).detach()

    assert verdicts(Detached(), picture(), 1) == {"differs"}


def test_places_follow_the_seed():
    places = [
        [(entry.channel, entry.row, entry.column) for entry in check_gradient(smooth(), picture(), 1, seed=seed)]
        for seed in (0, 0, 1)
    ]
    assert places[0] == places[1] != places[2]
    assert len(places[0]) == 20


def test_the_network_is_left_in_single_precision_and_untouched():
    network = SmallCNN().train()
    network.conv1.weight.requires_grad_(False)
    classifier, images = Classifier(network, mean=[0.5] * 3, std=[0.25] * 3, input_size=8), picture()
    with left_as_found(classifier, images):
        checked = check_gradient(classifier, images, 1, pixels=4)
    assert len(checked) == 4 and {entry.verdict for entry in checked} <= {"agrees", "kink"}
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32, torch.int64}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet", "lite0"])
def test_real_networks_have_kinks_but_no_errors(name, request, cat):
    assert verdicts(request.getfixturevalue(name), cat, 281, pixels=40) <= {"agrees", "kink"}
