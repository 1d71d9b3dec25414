"""Looking into a network and leaving it as it was."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from interpret import NetworkError, UnknownNameError, find_layer, recorded
from interpret.network.hooks import left_as_found, traced
from interpret.network.layers import layers
from interpret.network.survey import default_layer
from tests import state
from tests.tiny import RELUS, SmallCNN, m1, x0


def hooks_of(network):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


def test_recorded_survives_an_in_place_layer_behind_it():
    network = m1(RELUS["in-place"])
    with recorded(network, "conv1", "relu1") as recording, torch.no_grad():
        network(x0())
    assert (recording["conv1"] < 0).any()
    torch.testing.assert_close(recording["conv1"], network.conv1(x0()).detach())
    torch.testing.assert_close(recording["relu1"], recording["conv1"].relu())


def test_recording_does_not_change_the_answer_or_the_gradient():
    network, image = m1(RELUS["in-place"]), x0().requires_grad_()
    plain = network(image)
    with recorded(network, "conv1", "relu1") as recording:
        watched = network(image)
    assert torch.equal(plain, watched)
    assert torch.equal(*(torch.autograd.grad(output.sum(), image)[0] for output in (plain, watched)))
    assert recording["conv1"].grad_fn is not None


def test_cut_starts_the_graph_at_the_layer():
    network, image = m1().requires_grad_(False), x0().requires_grad_()
    with recorded(network, "relu1", cut=True) as recording:
        score = network(image)[0, 0]
    layer = recording["relu1"]
    assert layer.is_leaf and layer.requires_grad
    gradient, below = torch.autograd.grad(score, [layer, image], allow_unused=True)
    assert torch.equal(gradient.flatten(), network.linear.weight[0])
    assert below is None


@pytest.mark.parametrize(("name", "call"), [("relu#1", 0), ("relu#2", 1), ("relu", 1)])
def test_calls_of_a_module_used_twice(name, call):
    network, image, seen = SmallCNN().eval(), torch.rand(1, 3, 8, 8), []
    with recorded(network, name) as recording:
        traced(network, lambda: network(image), lambda c: seen.append((c.name, c.output.clone())))
    relus = [(called, output) for called, output in seen if called.startswith("relu")]
    assert [called for called, _ in relus] == ["relu#1", "relu#2"]
    assert torch.equal(recording[name], relus[call][1])


@pytest.mark.parametrize("layer", ["conv1", "relu#3"])
def test_a_layer_that_did_not_run(layer):
    network = SmallCNN().eval()
    with recorded(network, layer) as recording:
        network.head(torch.rand(1, 8)) if layer == "conv1" else network(torch.rand(1, 3, 8, 8))
    with pytest.raises(NetworkError, match=f"{layer}.*did not run"):
        recording[layer]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("layer1.conv3", "did you mean 'layer1.conv2' or 'layer1.conv1'"),
        ("layer1.0.zzzzzzzzzz", "layer1 has layer1.conv1, layer1.conv2"),
        ("zzzzzz", "the network has layer1, head"),
        ("", "the network has layer1, head"),
        ("#2", "the network has layer1, head"),
        ("head#0", "did you mean 'head'"),
        ("head#two", "did you mean 'head'"),
    ],
)
def test_unknown_layers(name, hint):
    block = nn.ModuleDict({"conv1": nn.Conv2d(1, 1, 1), "conv2": nn.Conv2d(1, 1, 1)})
    network = nn.ModuleDict({"layer1": block, "head": nn.Linear(1, 2)})
    with pytest.raises(UnknownNameError, match=hint):
        find_layer(network, name)
    with pytest.raises(UnknownNameError), recorded(network, "layer1.conv1", name):
        pass
    assert hooks_of(network) == 0


def test_a_module_may_be_called_as_its_calls_are():
    """PyTorch allows a name such as "act#1"; "act#1#2" is its second call."""
    network = nn.Sequential()
    network.add_module("conv", nn.Conv2d(3, 4, 3))
    network.add_module("act#1", nn.ReLU())
    network.add_module("again", network.get_submodule("act#1"))
    network.add_module("head", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)))
    image = torch.rand(1, 3, 32, 32)
    assert find_layer(network, "act#1") == (network.get_submodule("act#1"), None)
    assert find_layer(network, "act#1#2") == (network.get_submodule("act#1"), 2)
    with recorded(network, "act#1", "act#1#1") as recording:
        network(image)
    assert (recording.call("act#1"), recording.call("act#1#1")) == ("act#1#2", "act#1#1")
    assert [layer.name for layer in layers(network, lambda: network(image))][1:3] == ["act#1#1", "act#1#2"]
    assert default_layer(network, image).startswith("act#1")
    with pytest.raises(UnknownNameError, match="did you mean 'act#1'"):
        find_layer(network, "act#2")


def test_a_layer_that_gives_a_tuple():
    network = nn.Sequential(nn.LSTM(4, 3))
    with pytest.raises(NetworkError, match="'0' gives a tuple"), recorded(network, "0"):
        network(torch.rand(2, 1, 4))
    assert hooks_of(network) == 0


def fail():
    raise ZeroDivisionError


def test_hooks_go_also_after_an_exception():
    network, layers = SmallCNN(), ("conv1", "relu#2")
    with recorded(network, *layers, cut=True):
        assert hooks_of(network) > 0
    assert hooks_of(network) == 0
    with pytest.raises(ZeroDivisionError), recorded(network, *layers, cut=True):
        fail()
    assert hooks_of(network) == 0


def test_traced_removes_its_hooks_after_an_exception():
    network = SmallCNN()
    with pytest.raises(ZeroDivisionError):
        traced(network, fail, lambda call: None)
    assert hooks_of(network) == 0


def mixed():
    """A network whose modules and weights are in different states."""
    network = SmallCNN()
    network.bn1.eval()
    network.head.eval()
    network.conv1.requires_grad_(False)
    network.bn2.bias.requires_grad_(False)
    return network


def use(network):
    """What an explainer may do to a network, and some of what a network may do to itself."""
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    images = torch.rand(2, 3, 8, 8, requires_grad=True)
    assert torch.autograd.grad(network(images).sum(), images)[0].abs().sum() > 0
    network.train().requires_grad_(True)


@pytest.mark.parametrize("outside", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_left_as_found(outside):
    network = mixed()
    with state.left_as_found(network), outside(), left_as_found(network):
        use(network)
        network.eval()


def test_left_as_found_after_an_exception():
    network = mixed()
    with pytest.raises(ZeroDivisionError), state.left_as_found(network), left_as_found(network):
        use(network)
        fail()


def test_left_as_found_takes_any_callable():
    before = torch.get_rng_state()
    with left_as_found(F.relu):
        torch.rand(1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("make", [lambda: nn.Linear(2, 2), lambda: nn.BatchNorm2d(2, affine=False)])
def test_weights_made_under_inference_mode_are_refused(make):
    with torch.inference_mode():
        network = make()
    with pytest.raises(NetworkError, match="inference_mode"), left_as_found(network):
        pass
