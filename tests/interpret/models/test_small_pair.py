"""The two small networks that come along: one hardened, one not."""

import pytest
import torch

import interpret
from attacks import pgd
from cli.options.network import ModelOptions
from interpret.errors import NetworkError


@pytest.mark.parametrize("name", ["robust_cifar10", "plain_cifar10"])
def test_they_load_in_full_precision_with_their_names(name):
    classifier = interpret.load(name)
    assert list(classifier.labels)[:3] == ["airplane", "automobile", "bird"] and classifier.input_size == (32, 32)
    assert {value.dtype for value in classifier.network.parameters()} == {torch.float32}
    assert classifier(interpret.read("sample:cat")).shape == (1, 10)
    with pytest.raises(NetworkError, match="own weights"):
        interpret.load(name, mean=(0.5,) * 3)


def test_a_small_change_moves_the_robust_one_less():
    images = torch.cat([interpret.load("plain_cifar10").prepare(interpret.read(f"sample:{n}"))[0] for n in PHOTOS])
    moved = []
    for name in ("plain_cifar10", "robust_cifar10"):
        classifier, inputs = interpret.load(name).on_inputs(), images.clamp(0, 1)
        labels = classifier.predict(inputs)
        changed = pgd(classifier, inputs, labels, eps=8 / 255, steps=10)
        rows = torch.arange(len(inputs))
        before, after = (classifier(given).softmax(1)[rows, labels] for given in (inputs, changed))
        moved.append(float((before - after).mean()))
    assert moved[1] < 0.6 * moved[0]


PHOTOS = ("cat", "german-shepherd", "scarlet-macaw", "rocket", "red-panda", "bison")


def test_the_shell_knows_their_names_and_classes():
    model = ModelOptions(model="robust_cifar10")
    model.check_name()
    model.check_classes("deer", "truck", "no class of ImageNet")  # the labels are those in the file, looked at later
