"""Networks to train: five small ones for any number of channels and classes, and all others by name."""

from collections import OrderedDict
from collections.abc import Callable
from math import prod

import torch
from torch import Tensor, nn

from ..errors import NetworkError, UnknownNameError, did_you_mean, kind_and_text
from .registry import OFFLINE, named_network, torchvision_names
from .replace_layers import with_channels

Size = tuple[int, int]


class Stack(nn.Sequential):
    """Layers in a row; the input of a linear one is flattened, without a module, for which LRP would need a rule."""

    def forward(self, features: Tensor) -> Tensor:
        """(N, classes) logits of pictures (N, C, H, W)."""
        for layer in self:
            features = layer(features.flatten(1) if isinstance(layer, nn.Linear) else features)
        return features


def linear(classes: int, channels: int, size: Size) -> nn.Module:
    """One linear layer on the pixels."""
    return Stack(OrderedDict(fc=nn.Linear(channels * prod(size), classes)))


def mlp(classes: int, channels: int, size: Size) -> nn.Module:
    """Two hidden layers of 256 on the pixels."""
    return Stack(
        OrderedDict(
            fc1=nn.Linear(channels * prod(size), 256),
            relu1=nn.ReLU(),
            fc2=nn.Linear(256, 256),
            relu2=nn.ReLU(),
            fc3=nn.Linear(256, classes),
        )
    )


def lenet(classes: int, channels: int, size: Size) -> nn.Module:
    """Two convolutions that halve the picture, two dense layers (Wong et al. 2020, https://arxiv.org/abs/2001.03994)."""
    if min(size) < 4:
        raise ValueError("two convolutions that halve the picture leave nothing of it")
    return Stack(
        OrderedDict(
            conv1=nn.Conv2d(channels, 16, 4, stride=2, padding=1),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(16, 32, 4, stride=2, padding=1),
            relu2=nn.ReLU(),
            fc1=nn.Linear(32 * (size[0] // 4) * (size[1] // 4), 100),
            relu3=nn.ReLU(),
            fc2=nn.Linear(100, classes),
        )
    )


def cnn(classes: int, channels: int, size: Size) -> nn.Module:
    """Four convolutions with batch norm, averaged over the picture: the plainest network that CAM can explain."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    widths, strides = (channels, 32, 64, 64, 128), (1, 2, 1, 2)
    for number, stride in enumerate(strides, start=1):
        given, width = widths[number - 1 : number + 1]
        layers[f"conv{number}"] = nn.Conv2d(given, width, 3, stride=stride, padding=1, bias=False)
        layers[f"bn{number}"] = nn.BatchNorm2d(width)
        layers[f"relu{number}"] = nn.ReLU()
    return Stack(layers | _averaged(128, classes))


def preact_resnet18(classes: int, channels: int, size: Size) -> nn.Module:
    """ResNet-18 with activations before convolutions (He et al. 2016, https://arxiv.org/abs/1603.05027), for CIFAR.

    As in Wong et al. 2020 and Rice et al. 2020: a stem of one 3 x 3 convolution, and no pooling before the end.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv1=nn.Conv2d(channels, 64, 3, padding=1, bias=False))
    widths = (64, 64, 128, 256, 512)
    for number in range(1, 5):
        given, width = widths[number - 1 : number + 1]
        first = PreActBlock(given, width, stride=1 if number == 1 else 2)
        layers[f"layer{number}"] = nn.Sequential(first, PreActBlock(width, width, stride=1))
    layers |= OrderedDict(bn=nn.BatchNorm2d(512), relu=nn.ReLU())
    return Stack(layers | _averaged(512, classes))


class PreActBlock(nn.Module):
    """Batch norm, ReLU and convolution, twice, added to the input, or to a convolution of the first ReLU's output."""

    def __init__(self, given: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.bn1, self.relu1 = nn.BatchNorm2d(given), nn.ReLU()
        self.conv1 = nn.Conv2d(given, width, 3, stride=stride, padding=1, bias=False)
        self.bn2, self.relu2 = nn.BatchNorm2d(width), nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        same = stride == 1 and given == width
        self.shortcut = None if same else nn.Conv2d(given, width, 1, stride=stride, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(N, width, h, w) of (N, given, H, W)."""
        active = self.relu1(self.bn1(features))
        around = features if self.shortcut is None else self.shortcut(active)
        return self.conv2(self.relu2(self.bn2(self.conv1(active)))) + around


NETWORKS: dict[str, Callable[[int, int, Size], nn.Module]] = {
    "linear": linear,
    "mlp": mlp,
    "lenet": lenet,
    "cnn": cnn,
    "preact_resnet18": preact_resnet18,
}


def build(name: str, *, classes: int, channels: int, size: Size) -> nn.Module:
    """A network with fresh weights, drawn from torch's global generator, in training mode.

    Args:
        name: one of NETWORKS, "efficientnet_lite0", a torchvision classification network, or "timm:NAME".
        classes: how many it tells apart, at least 2.
        channels: of the pictures, at least 1.
        size: height and width of the network's input.

    Returns:
        A network from inputs (N, channels, *size) to logits (N, classes).

    Raises:
        UnknownNameError: no such network; the message lists the close names.
        NetworkError: it cannot take such pictures.
    """
    if classes < 2 or channels < 1 or min(size) < 1:
        raise NetworkError(f"no network has {classes} classes for {channels} channels of {size[1]} x {size[0]} pixels")
    if name not in NETWORKS and ":" not in name:
        known = [*NETWORKS, *OFFLINE, *torchvision_names()]
        if name not in known:
            listed = did_you_mean(name, known) or f"; there are {', '.join(NETWORKS)}, those of torchvision, timm:NAME"
            raise UnknownNameError(f"no network {name!r} to train{listed}")
    elif name not in NETWORKS and not name.startswith("timm:"):
        raise UnknownNameError(f"{name!r} is code of your own, which is not built by its name; call it yourself")
    try:
        network = _built(name, classes, channels, size)
        with torch.no_grad():  # a trial, since many networks are too deep for small pictures; no statistics change
            network.eval()(torch.zeros(1, channels, *size))
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:  # each network fails in its own way
        asked = f"{channels} channels of {size[1]} x {size[0]} pixels"
        raise NetworkError(f"{name} cannot take {asked}; try another size ({kind_and_text(error)})") from error
    return network.train()


def _built(name: str, classes: int, channels: int, size: Size) -> nn.Module:
    if name in NETWORKS:
        return NETWORKS[name](classes, channels, size)
    network = named_network(name).build(num_classes=classes)
    return network if channels == 3 else with_channels(network, channels)


def _averaged(width: int, classes: int) -> OrderedDict[str, nn.Module]:
    """The head that CAM needs: the mean over the picture, and one linear layer."""
    return OrderedDict(pool=nn.AdaptiveAvgPool2d(1), fc=nn.Linear(width, classes))
