"""The networks to train: shapes, sizes, what explains them, and other networks for other classes."""

import pytest
import torch
from torch import nn

import interpret
from interpret import Classifier, NetworkError, UnknownNameError, adapted, build, default_layer
from interpret.models.architectures import NETWORKS
from interpret.models.replace_layers import with_channels
from interpret.network.fingerprint import fingerprint

SMALL = [name for name in NETWORKS if name != "preact_resnet18"]
MAPPED = ["lenet", "cnn", "preact_resnet18"]


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("channels", "size"), [(1, (8, 8)), (3, (13, 18))])
def test_every_network_takes_pictures_of_every_size(name, channels, size):
    network = build(name, classes=7, channels=channels, size=size)
    assert network.training and all(parameter.requires_grad for parameter in network.parameters())
    logits = network(torch.rand(2, channels, *size))
    assert logits.shape == (2, 7)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "channels", "size", "count"),
    [
        ("linear", 1, (28, 28), 7_850),
        ("lenet", 1, (28, 28), 16 * 17 + 32 * 257 + 100 * 1569 + 10 * 101),
        ("preact_resnet18", 3, (32, 32), 11_172_170),
    ],
)
def test_sizes_are_those_of_the_papers(name, channels, size, count):
    assert parameters(build(name, classes=10, channels=channels, size=size)) == count


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_decides_the_weights_and_building_leaves_the_statistics(name):
    prints = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        network = build(name, classes=3, channels=1, size=(8, 8))
        prints.append(fingerprint(network))
        assert all(value == 0 for key, value in network.state_dict().items() if key.endswith("num_batches_tracked"))
    assert prints[0] == prints[1] != prints[2]


def test_a_block_is_the_one_of_the_paper():
    network = build("preact_resnet18", classes=3, channels=1, size=(8, 8)).eval()
    first, second = network.layer2[0], network.layer2[1]
    features = torch.rand(1, 64, 6, 6)
    active = first.bn1(features).relu()
    inside = first.conv2(first.bn2(first.conv1(active)).relu())
    torch.testing.assert_close(first(features), inside + first.shortcut(active))
    features = first(features)
    assert features.shape == (1, 128, 3, 3) and second.shortcut is None
    inside = second.conv2(second.bn2(second.conv1(second.bn1(features).relu())).relu())
    torch.testing.assert_close(second(features), inside + features)


@pytest.mark.parametrize("name", MAPPED)
def test_they_can_be_explained(name):
    network = build(name, classes=4, channels=3, size=(16, 16)).eval()
    classifier = Classifier(network, mean=[0.5] * 3, std=[0.5] * 3, input_size=16)
    images, target = torch.rand(1, 3, 20, 24), torch.tensor([1])
    assert default_layer(classifier, images) == {"lenet": "relu2", "cnn": "relu4"}.get(name, "relu").join(
        ["network.", ""]
    )
    assert interpret.gradcam(classifier, images, target).shape == (1, 1, 20, 24)
    assert interpret.guided_backprop(classifier, images, target).shape == images.shape
    if name != "lenet":
        assert interpret.cam(classifier, images, target).shape == (1, 1, 20, 24)
    assert interpret.lrp(classifier, images, target).shape == images.shape


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_networks_without_maps_have_gradients(name):
    network = build(name, classes=4, channels=1, size=(8, 8)).eval()
    classifier = Classifier(network, mean=[0], std=[1])
    assert interpret.saliency(classifier, torch.rand(2, 1, 8, 8), torch.tensor([1, 2])).shape[-2:] == (8, 8)


@pytest.mark.parametrize("channels", [1, 3])
def test_networks_of_torchvision(channels):
    network = build("squeezenet1_1", classes=5, channels=channels, size=(32, 40))
    assert network(torch.rand(2, channels, 32, 40)).shape == (2, 5)


def test_a_first_layer_for_other_channels_keeps_its_kind():
    network = build("googlenet", classes=5, channels=1, size=(64, 64))
    assert not network.transform_input and network.conv1.conv.in_channels == 1
    original = nn.Sequential(nn.Conv2d(3, 4, 3, padding=2, bias=False), nn.Flatten())
    changed = with_channels(original, 5)
    assert changed[0].weight.shape == (4, 5, 3, 3) and changed[0].padding == (2, 2) and changed[0].bias is None
    assert original[0].in_channels == 3
    with pytest.raises(NetworkError, match="no convolution"):
        with_channels(nn.Linear(3, 4), 1)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("lenet", (3, 8), "lenet cannot take 3 channels of 8 x 3 pixels; try another size"),
        ("alexnet", (16, 16), "alexnet cannot take 3 channels of 16 x 16 pixels"),
        ("linear", (0, 8), "no network has"),
    ],
)
def test_pictures_that_are_too_small(name, size, message):
    with pytest.raises(NetworkError, match=message) as caught:
        build(name, classes=5, channels=3, size=size)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("preact_resnet", "did you mean .*'preact_resnet18'"),
        ("zzzz", "there are linear, mlp"),
        ("own_networks:make", "code of your own"),
    ],
)
def test_unknown_names(name, hint):
    with pytest.raises(UnknownNameError, match=hint) as caught:
        build(name, classes=5, channels=3, size=(8, 8))
    assert "\n" not in str(caught.value)


def test_a_fresh_head_for_a_trained_network(lite0, squeezenet):
    for classifier in (lite0, squeezenet):
        before = fingerprint(classifier.network)
        changed = adapted(classifier.network, 6)
        assert fingerprint(classifier.network) == before
        assert changed(torch.rand(1, 3, 224, 224)).shape == (1, 6)
        own, fresh = classifier.network.state_dict(), changed.state_dict()
        differing = {name for name in own if not torch.equal(own[name], fresh[name])}
        trainable = {name for name, parameter in changed.named_parameters() if parameter.requires_grad}
        assert differing == trainable and len(differing) == 2


def test_a_fresh_head_can_be_rebuilt_by_name(squeezenet):
    state = adapted(squeezenet.network, 6).state_dict()
    build("squeezenet1_1", classes=6, channels=3, size=(64, 64)).load_state_dict(state)


def test_a_network_without_a_head():
    assert adapted(nn.Linear(4, 3), 2)(torch.rand(1, 4)).shape == (1, 2)
    with pytest.raises(NetworkError, match="Sequential has no linear layer or 1 x 1 convolution"):
        adapted(nn.Sequential(nn.Conv2d(3, 4, 3)), 2)
