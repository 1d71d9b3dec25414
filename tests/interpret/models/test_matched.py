"""Checkpoints whose names differ from the network's: shared prefixes, and heads found by their shape."""

import pytest
import torch
from torch import nn
from torchvision import models

import interpret
from interpret import NetworkError
from interpret.models.state_dict import fill
from tests.refusals import refusal


def small(head: nn.Module | None = None) -> nn.Module:
    network = nn.Module()
    network.conv, network.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    network.fc = head or nn.Linear(4, 3)
    return network


@pytest.mark.parametrize("prefix", ["net.", "backbone.", "encoder.", "model.", "module.", "student.model.", "a.b.c."])
def test_a_prefix_that_all_names_share(prefix):
    source, network = small(), small()
    fill(network, {prefix + name: value for name, value in source.state_dict().items()}, "the file")
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in source.state_dict().items())


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_a_head_with_dropout_before_it(prefix):
    source, network = small(nn.Sequential(nn.Dropout(), nn.Linear(4, 3))), small()
    fill(network, {prefix + name: value for name, value in source.state_dict().items()}, "the file")
    assert torch.equal(network.fc.weight, source.fc[1].weight) and torch.equal(network.fc.bias, source.fc[1].bias)


def test_a_prefix_is_kept_where_not_all_fits():
    state = {f"backbone.{name}": value for name, value in small().state_dict().items() if not name.startswith("bn")}
    message = refusal(fill, small(), state, "the file", kind=NetworkError)
    assert "unexpected (backbone.conv" in message


def test_a_head_of_two_layers_names_the_line_to_write():
    head = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2))
    message = refusal(fill, small(), small(head).state_dict(), "the file", kind=NetworkError)
    assert "network.fc = nn.Sequential(...) has nn.Linear(4, 8) as fc.0 and nn.Linear(8, 2) as fc.3" in message


def test_a_fine_tuned_network_with_both(tmp_path):
    network = models.squeezenet1_1(weights=None, num_classes=4)
    torch.save({f"backbone.{name}": value for name, value in network.state_dict().items()}, tmp_path / "mine.pth")
    classifier = interpret.load("squeezenet1_1", weights=tmp_path / "mine.pth")
    image = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(classifier.network(image), network.eval()(image))
    head = models.resnet18(weights=None)
    head.fc = nn.Sequential(nn.Dropout(0.2), nn.Linear(512, 7))
    torch.save(head.state_dict(), tmp_path / "head.pth")
    loaded = interpret.load("resnet18", weights=tmp_path / "head.pth")
    torch.testing.assert_close(loaded.network(image), head.eval()(image))
    assert len(loaded.labels) == 7
