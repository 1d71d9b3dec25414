"""Batch normalisation folded into convolutions: the same logits, whatever the network does between."""

import logging

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from interpret import Classifier, folded
from tests.command import FLOWERS
from tests.state import left_as_found
from tests.tiny import SmallCNN


class Paths(nn.Module):
    """Pairs of a convolution and a normalisation that may be folded, and others that look alike and may not."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.plain_norm = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.seen, self.seen_norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.twice, self.twice_norm = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)
        self.shared, self.first_norm, self.second_norm = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.cut, self.cut_norm = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)
        self.batch = nn.BatchNorm2d(4, track_running_stats=False)
        self.grouped, self.grouped_norm = nn.Conv2d(4, 4, 3, groups=4), nn.BatchNorm2d(4, affine=False)
        self.head = nn.Linear(4, 5)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.plain_norm(self.plain(images)).relu()
        seen = self.seen(maps)
        maps = self.seen_norm(seen) + seen  # taken by another too
        maps = self.twice_norm(self.twice(self.twice_norm(self.twice(maps))))  # each runs twice
        maps = self.first_norm(self.shared(maps)) + self.second_norm(self.shared(-maps))
        maps = self.cut_norm(F.relu(self.cut(maps), inplace=True))  # what lies between has no module
        maps = self.batch(self.grouped_norm(self.grouped(maps)))
        # Each picture is normalised by itself, so a plain mean of the maps would be 0 whatever goes before.
        return self.head(maps.relu().mean((2, 3)))


def classifier_of(network: nn.Module) -> Classifier:
    """With running means and variances that matter."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            if module.running_var is not None:
                module.running_mean.normal_(0, 0.5)
                module.running_var.uniform_(0.5, 2)
            if module.affine:
                nn.init.normal_(module.weight, 1, 0.3)
                nn.init.normal_(module.bias, 0, 0.3)
    return Classifier(network.eval(), mean=(0.5,) * 3, std=(0.25,) * 3, labels=FLOWERS, input_size=32)


def norms(classifier: Classifier) -> list[str]:
    return [name for name, module in classifier.network.named_modules() if isinstance(module, nn.BatchNorm2d)]


def test_what_may_be_folded_is_and_nothing_else():
    classifier, images = classifier_of(Paths()), torch.rand(2, 3, 32, 32)
    with left_as_found(classifier):
        copied = folded(classifier)
    assert norms(copied) == ["seen_norm", "twice_norm", "first_norm", "second_norm", "cut_norm", "batch"]
    assert torch.allclose(copied(images), classifier(images), atol=1e-4)
    assert list(copied.labels) == list(FLOWERS) and not any(module.training for module in copied.modules())


@pytest.mark.parametrize("network", [SmallCNN, lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))])
def test_a_network_with_few_or_none(network):
    classifier = classifier_of(network())
    images = torch.rand(2, 3, 32, 32)
    assert torch.allclose(folded(classifier)(images), classifier(images), atol=1e-4)


def test_the_default_network_is_folded_whole(lite0, cat):
    copied = folded(lite0)
    assert norms(lite0) and not norms(copied)
    with torch.no_grad():
        assert (copied(cat) - lite0(cat)).abs().max() < 1e-4


class Asleep(nn.Module):
    """Something beside the normalisation takes the convolution's maps, but only where they are strong."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm, self.head = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 5)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.convolution(images)
        return self.head((self.norm(maps) + F.relu(maps - 2.5)).mean((2, 3)))


def test_a_branch_that_faint_noise_does_not_wake():
    assert norms(folded(classifier_of(Asleep()))) == ["norm"]


def test_narrow_arithmetic_hides_no_fold(caplog):
    classifier = classifier_of(SmallCNN())
    classifier.precision = "bf16"
    with caplog.at_level(logging.INFO, "interpret"):
        copied = folded(classifier)
    assert not norms(copied) and copied.precision == classifier.precision == "bf16"
    assert caplog.messages == ["folded 2 of 2 batch normalisations into the convolutions before them"]


def test_a_network_of_one_size_is_left_as_it_is(caplog):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 30 * 30, 5))
    classifier, images = classifier_of(network), torch.rand(2, 3, 32, 32)
    classifier.input_size = None
    copied = folded(classifier)
    assert norms(copied) == ["1"] and torch.equal(copied(images), classifier(images))
    assert "nothing is folded: the network does not take" in caplog.text


MADE = {
    "weight_norm": parametrizations.weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "weight_norm by a hook": nn.utils.weight_norm,
    "spectral_norm by a hook": nn.utils.spectral_norm,
    "pruned": lambda module: prune.l1_unstructured(module, "weight", amount=0.3),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_weights_that_are_made_of_others_are_left_alone(made, trained):
    network = SmallCNN().requires_grad_(trained)
    made(network.conv1)
    classifier, images = classifier_of(network), torch.rand(2, 3, 32, 32)
    copied = folded(classifier)
    assert norms(copied) == ["bn1"]
    torch.testing.assert_close(copied(images), classifier(images), rtol=1e-4, atol=1e-4)
