"""Files of trained networks: they load as they were, and everything else is refused in a line."""

import functools
import json
import os
from dataclasses import asdict, replace

import pytest
import torch
from torch import nn

import interpret
from interpret import Classifier, InterpretError, NetworkError, UnknownNameError, build
from interpret.models.saved import Recipe, is_trained, load_trained, read_trained, save_trained
from interpret.network.fingerprint import fingerprint
from tests import refusals

NAMES = ("ant", "bee", "cat")
refusal = functools.partial(refusals.refusal, kind=NetworkError)
RECIPE = Recipe(
    network="cnn",
    classes=3,
    channels=3,
    size=(16, 24),
    labels=NAMES,
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.25, 0.3),
    input_size=(16, 24),
    resize=30,
    interpolation="bicubic",
)


@pytest.fixture
def network():
    network = build("cnn", classes=3, channels=3, size=(16, 24))
    network(torch.rand(4, 3, 16, 24))  # statistics of its own
    return network


@pytest.fixture
def file(tmp_path, network):
    save_trained(tmp_path / "best.pt", network, RECIPE, epoch=3, scores=[0.5], optimizer={"momentum": torch.ones(2)})
    return tmp_path / "best.pt"


@pytest.mark.parametrize("read", [load_trained, interpret.load, lambda file: interpret.load(str(file))])
def test_a_network_comes_back_as_it_was(file, network, read):
    state = torch.get_rng_state()
    with torch.inference_mode():
        classifier = read(file)
    assert torch.equal(state, torch.get_rng_state())
    assert fingerprint(classifier.network) == fingerprint(network)
    assert list(classifier.labels) == list(NAMES)
    assert (classifier.input_size, classifier.resize, classifier.interpolation) == ((16, 24), 30, "bicubic")
    assert not any(module.training for module in classifier.modules())
    assert not any(parameter.requires_grad for parameter in classifier.parameters())
    images = torch.rand(2, 3, 40, 50, requires_grad=True)
    torch.testing.assert_close(classifier(images), RECIPE.classifier(network.eval())(images))
    assert torch.autograd.grad(classifier(images).sum(), images)[0].abs().sum() > 0


def test_what_else_was_kept_comes_back(file, network):
    recipe, state, more = read_trained(file)
    assert recipe == RECIPE and state.keys() == network.state_dict().keys()
    assert more.pop("optimizer")["momentum"].tolist() == [1, 1]
    assert more == {"epoch": 3, "scores": [0.5]}


def test_a_recipe_survives_json():
    assert Recipe(**json.loads(json.dumps(asdict(RECIPE)))) == RECIPE


@pytest.mark.parametrize("name", ["lenet", "preact_resnet18", "squeezenet1_1"])
def test_other_networks(tmp_path, name):
    channels = 3 if name == "squeezenet1_1" else 1
    recipe = Recipe(name, 3, channels, (32, 32), NAMES, (0.5,) * channels, (0.5,) * channels)
    network = build(name, classes=3, channels=channels, size=(32, 32)).eval()
    save_trained(tmp_path / "best.pth", network, recipe)
    images = torch.rand(1, channels, 32, 32)
    classifier = interpret.load(tmp_path / "best.pth")
    torch.testing.assert_close(classifier(images), network((images - 0.5) / 0.5), atol=1e-5, rtol=1e-4)


def test_other_labels_but_no_other_preprocessing(file):
    assert list(interpret.load(file, labels=["x", "y", "z"]).labels) == ["x", "y", "z"]
    for option in ({"mean": [0, 0, 0]}, {"std": [1, 1, 1]}, {"input_size": 8}, {"weights": file}):
        assert "omit them" in refusal(lambda given: interpret.load(file, **given), option)


def test_the_file_also_serves_as_weights(file, network, tmp_path, monkeypatch):
    (tmp_path / "own_trained.py").write_text(
        "from interpret import build\n\ndef make():\n    return build('cnn', classes=3, channels=3, size=(16, 24))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    classifier = interpret.load("own_trained:make", weights=file, mean=[0, 0, 0], std=[1, 1, 1])
    assert fingerprint(classifier.network) == fingerprint(network)


def test_a_file_does_not_choose_the_code_that_runs(tmp_path, network):
    save_trained(tmp_path / "best.pt", network, replace(RECIPE, network="os:getcwd"))
    assert "-m os:getcwd --weights" in refusal(load_trained, tmp_path / "best.pt")


FOREIGN = {
    "state dict": lambda path: torch.save(nn.Linear(2, 2).state_dict(), path),
    "a list": lambda path: torch.save([1, 2], path),
    "an object": lambda path: torch.save(nn.Linear(2, 2), path),
    "text": lambda path: path.write_text("hello"),
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_other_files(file, make):
    make(file)
    assert not is_trained(file)
    assert "--weights" in refusal(load_trained, file)
    assert f"-m resnet18 --weights {file}" in refusal(interpret.load, file, kind=UnknownNameError)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interp": 2}, "another version of interp (format 2); update"),
        ({"recipe": {}}, "is damaged"),
        ({"recipe": None}, "is damaged"),
        ({"recipe": asdict(RECIPE) | {"labels": ["one"]}}, "1 labels for a network with 3 classes"),
        ({"recipe": asdict(RECIPE) | {"size": 16}}, "is damaged"),
        ({"recipe": asdict(RECIPE) | {"mean": (0.5,)}}, "mean and std need 3 numbers"),
        ({"recipe": asdict(RECIPE) | {"network": "lenet"}}, "does not fit"),
        ({"recipe": asdict(RECIPE) | {"network": "lennet"}}, "no network 'lennet'"),
        ({"state": {"conv1.weight": 3}}, "more than tensors"),
        ({"state": {}}, "missing"),
        ({"state": None}, "is damaged"),
    ],
)
def test_contents_that_do_not_fit(file, change, message):
    content = torch.load(file, weights_only=True)
    torch.save(content | change, file)
    assert is_trained(file)
    assert message in refusal(load_trained, file, kind=InterpretError)


def test_weights_that_are_not_finite(file, network):
    network.fc.bias.data.fill_(torch.nan)
    save_trained(file, network, RECIPE)
    assert "not finite" in refusal(load_trained, file)


def test_no_file(tmp_path):
    assert not is_trained(tmp_path / "best.pt") and not is_trained(tmp_path)
    assert "No such file" in refusal(load_trained, tmp_path / "best.pt")
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "best.pt", tmp_path):
        assert "cannot write" in refusal(save_trained, path, nn.Linear(1, 1), RECIPE, kind=InterpretError)
    assert os.listdir(tmp_path) == ["file"]


def test_a_state_dict_is_written_as_its_network_would_be(tmp_path, network):
    save_trained(tmp_path / "new" / "best.pt", network.state_dict(), RECIPE)
    assert fingerprint(load_trained(tmp_path / "new" / "best.pt").network) == fingerprint(network)


def test_what_cannot_be_read_back_is_not_written(file, network):
    before = file.read_bytes()
    for kept in (Classifier(network, mean=[0], std=[1]), lambda: None, [{"deep": (1, {2})}]):
        assert "tensors, numbers" in refusal(
            lambda kept=kept: save_trained(file, network, RECIPE, kept=kept), kind=InterpretError
        )
    assert file.read_bytes() == before and os.listdir(file.parent) == [file.name]


@pytest.mark.parametrize(
    "change", [{"classes": 0}, {"size": (8,)}, {"labels": (1, 2, 3)}, {"input_size": (0, 8)}, {"network": None}]
)
def test_recipes_that_make_no_sense(change):
    refusal(lambda: replace(RECIPE, **change), kind=InterpretError)
