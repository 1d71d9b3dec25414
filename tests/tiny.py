"""Tiny networks with exact answers."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Functional(nn.Module):
    """An activation called as a function."""

    def forward(self, inputs: Tensor) -> Tensor:
        return F.relu(inputs)


# The ways in which a ReLU stands in a network; every answer must be the same for each.
RELUS = {"module": nn.ReLU, "in-place": lambda: nn.ReLU(inplace=True), "function": Functional}


def m1(relu=nn.ReLU) -> nn.Sequential:
    """Convolution, ReLU, linear, ReLU; the layers are conv1, relu1, flatten, linear, relu2."""
    network = nn.Sequential()
    network.add_module("conv1", nn.Conv2d(1, 2, 3))
    network.add_module("relu1", relu())
    network.add_module("flatten", nn.Flatten())
    network.add_module("linear", nn.Linear(8, 4, bias=False))
    network.add_module("relu2", relu())
    with torch.no_grad():
        network.conv1.weight.fill_(1)
        network.conv1.bias.copy_(torch.tensor([-50.0, -75.0]))
        network.linear.weight.copy_(torch.tensor([1.0, 1, 1, 1, 1, -1, -1, -1]).expand(4, 8))
    return network


def x0() -> Tensor:
    """The picture of M1's answers."""
    return torch.arange(16.0).view(1, 1, 4, 4)


class SmallCNN(nn.Module):
    """Two convolutions with batch norm and dropout, a residual path, an in-place and a functional ReLU."""

    def __init__(self, channels: int = 3, classes: int = 5):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(8)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(8, classes)

    def forward(self, images: Tensor) -> Tensor:
        first = self.relu(self.bn1(self.conv1(images)))
        second = self.relu(self.bn2(self.conv2(first)) + first)
        return self.head(self.dropout(F.relu(second).mean((2, 3))))


class SmallTransformer(nn.Module):
    """Two blocks of attention over patches of 4 x 4 and a class token, for pictures of any size."""

    def __init__(self, channels: int = 3, classes: int = 5):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 8, 4, stride=4)
        self.mark = nn.Parameter(torch.randn(1, 1, 8))
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True) for _ in range(2))
        self.bn2, self.dropout, self.head = nn.LayerNorm(8), nn.Dropout(0.5), nn.Linear(8, classes)

    def forward(self, images: Tensor) -> Tensor:
        tokens = torch.cat([self.mark.expand(len(images), -1, -1), self.conv1(images).flatten(2).mT], 1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.dropout(self.bn2(tokens)[:, 0]))


PATCH = (torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(1)) > 0.5).float()


class Planted(nn.Module):
    """Unit 0 looks for a patch, unit 1 is dead, unit 2 likes brightness; it counts the pictures it sees."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 5)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(3, 2)
        self.seen = 0
        with torch.no_grad():
            self.conv.weight[0] = 2 * PATCH - 1
            self.conv.weight[1].zero_()
            self.conv.weight[2].fill_(1 / 75)
            self.conv.bias.copy_(torch.tensor([-0.8 * float(PATCH.sum()), -1.0, 0.0]))

    def forward(self, images):
        self.seen += len(images)
        return self.head(self.pool(self.relu(self.conv(images))).mean((2, 3)))
