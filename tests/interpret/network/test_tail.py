"""The part of a network above a layer, alone, against the whole of it."""

from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from interpret import ablationcam
from interpret.network.hooks import edited
from tests.state import left_as_found
from tests.tiny import SmallCNN


class Odd(nn.Module):
    """A shared activation, an in-place function, a path around the layer, a module that gives two things."""

    def __init__(self):
        super().__init__()
        self.stem, self.split, self.act = nn.Conv2d(3, 4, 3), Halves(), nn.ReLU()
        self.body = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1))
        self.head = nn.Linear(8, 5)

    def forward(self, inputs):
        first = self.act(self.stem(inputs))
        left, right = self.split(first)
        second = self.act(self.body(torch.cat([right, left], 1)))
        second += first
        return self.head(torch.cat([F.relu_(second), first], 1).mean((2, 3)))


class Halves(nn.Module):
    def forward(self, inputs):
        return inputs.chunk(2, 1)


NETWORKS = {
    "small": (SmallCNN, "bn2"),
    "small, in place after it": (SmallCNN, "relu#2"),
    "small, first": (SmallCNN, "conv1"),
    "odd": (Odd, "body.2"),
    "odd, inside": (Odd, "body.1"),
    "odd, shared": (Odd, "act#2"),
    "odd, shared first": (Odd, "act#1"),
    "in order": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(True), nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(864, 5)),
        "2",
    ),
    "residual": (
        lambda: models.resnet.ResNet(models.resnet.BasicBlock, [1, 1, 0, 0], num_classes=5),
        "layer2.0.relu#2",
    ),
    "dense": (lambda: models.DenseNet(4, (2, 2), 8, num_classes=5), "features.denseblock2.denselayer1"),
}


def by_whole_passes(network, images, target, layer):
    """Ablation-CAM's weights, one whole pass a channel."""
    kept = {}
    with edited(network, layer, lambda output: kept.setdefault("map", output.clone()).clone()), torch.no_grad():
        score = network(images)[:, target]
    weights = []
    for channel in range(kept["map"].shape[1]):

        def ablate(output, channel=channel):
            output = output.clone()
            output[:, channel] = 0
            return output

        with edited(network, layer, ablate), torch.no_grad():
            weights.append((score - network(images)[:, target]) / score.abs())
    return F.relu((torch.stack(weights, 1)[..., None, None] * kept["map"]).sum(1, keepdim=True))


@pytest.mark.parametrize(("build", "layer"), NETWORKS.values(), ids=NETWORKS)
def test_the_part_above_gives_the_same_map(build, layer):
    torch.manual_seed(2)
    network, images = build().double().eval(), torch.rand(3, 3, 16, 16).double()
    ours = ablationcam.__wrapped__
    with left_as_found(network, images):
        found = ours(network, images, 1, layer=layer, max_batch=5)
    assert all("forward" not in module.__dict__ for module in network.modules())
    torch.testing.assert_close(found, by_whole_passes(network, images, 1, layer), rtol=1e-9, atol=1e-12)


def test_what_lies_below_runs_no_more_often_than_needed():
    torch.manual_seed(2)
    network, passes = SmallCNN().eval(), Counter()
    network.conv1.register_forward_pre_hook(lambda module, given: passes.update(pictures=len(given[0])))
    forward = network.conv2.forward
    network.conv2.forward = lambda inputs: passes.update(computed=len(inputs)) or forward(inputs)
    ablationcam(network, torch.rand(2, 3, 16, 16), 1, layer="bn2", max_batch=4)
    assert passes["computed"] <= 2 + 2 + 1  # once to see the map, once to keep what lies below, once for the calls
    assert network.conv2.__dict__["forward"] is not forward


def test_a_module_that_does_more_than_give_an_output_is_run_again():
    class Remembers(nn.Module):
        def forward(self, inputs):
            self.seen = inputs.mean((2, 3))
            return inputs

    class Reads(nn.Sequential):
        def forward(self, inputs):
            features = self[1](self[0](inputs) * 1)
            return self[2](features.mean((2, 3)) + self[0].seen.sum(1, keepdim=True))

    torch.manual_seed(2)
    network = Reads(Remembers(), nn.Conv2d(3, 4, 3), nn.Linear(4, 5)).double()
    images = torch.rand(2, 3, 8, 8).double()
    found = ablationcam.__wrapped__(network, images, 1, layer="1", max_batch=3)
    torch.testing.assert_close(found, by_whole_passes(network, images, 1, "1"))
