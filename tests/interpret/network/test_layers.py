"""The default layer, against a table made by reading the architectures."""

import pytest
import torch
from torch import nn
from torchvision import models

from interpret import NetworkError, default_layer, recorded
from tests.interpret.network.default_layers import DEFAULT_LAYERS
from tests.tiny import SmallCNN

# One or more of every family; the others are the same code with other widths and depths.
QUICK = (  # one of each family; the others with -m slow
    "alexnet densenet121 efficientnet_b0 googlenet mnasnet0_5 mobilenet_v2 mobilenet_v3_small regnet_x_400mf resnet18 "
    "shufflenet_v2_x0_5 squeezenet1_1 swin_t"
).split()
REST = [name for name in DEFAULT_LAYERS if name not in QUICK]


def build(name):
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, **extra)


def check(name):
    layer, shape = DEFAULT_LAYERS[name]
    network = build(name)
    images = torch.rand(1, 3, 224, 224)
    assert default_layer(network, images) == layer
    with recorded(network.eval(), layer) as recording, torch.no_grad():
        network(images)
    assert tuple(recording[layer].shape[1:]) == shape


@pytest.mark.parametrize("name", QUICK)
def test_default_layer(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", REST)
def test_default_layer_of_the_rest(name):
    check(name)


@pytest.mark.parametrize("size", [(64, 64), (256, 160)])
@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1"])
def test_does_not_depend_on_the_size(name, size):
    assert default_layer(build(name), torch.rand(1, 3, *size)) == DEFAULT_LAYERS[name][0]


def test_a_network_for_one_size_only():
    network = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(576, 10))
    assert default_layer(network, torch.rand(2, 1, 28, 28)) == "1"


def test_it_is_found_again_when_the_network_changes():
    network = SmallCNN()
    images = torch.rand(1, 3, 32, 32)
    assert default_layer(network, images) == "relu#2"
    network.relu = nn.Identity()
    network.extra = nn.ReLU()
    network.forward = lambda x: network.head(network.extra(network.conv2(network.conv1(x))).mean((2, 3)))
    assert default_layer(network, images) == "extra"


def test_a_fully_connected_network_has_none():
    with pytest.raises(NetworkError, match="feature map"):
        default_layer(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.rand(1, 3, 2, 2))
