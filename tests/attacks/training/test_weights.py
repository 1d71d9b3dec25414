"""Weights that are perturbed or averaged, and come back as they were."""

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attacks import AttackError
from attacks.training.weights import in_place_of, perturbed, update_average
from tests.attacks.training.tiny_training import Bars, net


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
    with pytest.raises(KeyboardInterrupt) if fails else nullcontext(), perturbed(network, loss_of, 0.05):
        assert loss_of() > plain + 1e-4
        moved = network.conv.weight - before["conv.weight"]
        torch.testing.assert_close(moved.norm(), 0.05 * before["conv.weight"].norm())
        assert torch.equal(network.conv.bias, before["conv.bias"])  # no matrix
        network.load_state_dict({**network.state_dict(), **{name: before[name] for name, _ in network.named_buffers()}})
        if fails:
            raise KeyboardInterrupt
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.grad is None for parameter in network.parameters())


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
        update_average(average, network, 0.9)
    expected = sum(0.1 * 0.9 ** (5 - step) * values[step] for step in range(1, 6)) + 0.9**5 * values[0]
    torch.testing.assert_close(average["0.weight"], expected, rtol=1e-12, atol=1e-12)
    assert average["1.num_batches_tracked"] == 5
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match="inside"), in_place_of(network, average):
        assert torch.equal(network[0].weight, average["0.weight"])
        raise ValueError("inside")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
