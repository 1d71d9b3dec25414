"""One line to load any network: the offline ones, fine-tuned ones, the user's own, and every way it can fail."""

import sys
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

import interpret
from interpret import Classifier, InterpretError, NetworkError, UnknownNameError, imagenet, load
from interpret.models.registry import named_network, torchvision_names
from interpret.network.fingerprint import fingerprint

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
NAMES = ["ant", "bee", "cat", "dog", "eel"]


def one_line(caught):
    return "\n" not in str(caught.value)


def fresh(name, **settings):
    """A torchvision network of five classes with made-up weights, as after a fine-tuning."""
    if name in ("googlenet", "inception_v3"):
        settings = {"init_weights": False, "transform_input": True} | settings
    return models.get_model(name, weights=None, num_classes=5, **settings).eval()


def by_hand(name, network, images):
    """What torchvision's own preprocessing and the network give."""
    preset = models.get_model_weights(name).DEFAULT.transforms()
    with torch.no_grad():
        return network(preset(images))


def close(ours, theirs):
    scale = float(theirs.std())
    torch.testing.assert_close(ours, theirs, atol=1e-4 * scale, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "mean", "std", "interpolation"),
    [
        ("efficientnet_lite0", [127 / 255] * 3, [128 / 255] * 3, "bicubic"),
        ("squeezenet1_1", *IMAGENET, "bilinear"),
    ],
)
def test_offline_networks(name, mean, std, interpolation, capfd):
    state = torch.get_rng_state()
    classifier = load(name)
    assert torch.equal(state, torch.get_rng_state())
    assert capfd.readouterr() == ("", "")
    assert classifier.labels == imagenet() and len(classifier.labels) == 1000
    torch.testing.assert_close(classifier.mean.flatten(), torch.tensor(mean))
    torch.testing.assert_close(classifier.std.flatten(), torch.tensor(std))
    assert (classifier.input_size, classifier.resize, classifier.interpolation) == ((224, 224), 256, interpolation)
    assert not any(module.training for module in classifier.modules())
    assert not any(parameter.requires_grad for parameter in classifier.parameters())


def test_the_default_is_efficientnet_lite0(lite0):
    assert fingerprint(load().network) == fingerprint(lite0.network)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_loaded_without_gradients_it_can_give_them(mode):
    with mode():
        classifier = load("squeezenet1_1")
    image = torch.rand(1, 3, 64, 64, requires_grad=True)
    gradient = torch.autograd.grad(classifier(image)[0].max(), image)[0]
    assert gradient.abs().sum() > 0


def test_what_the_published_weights_expect_can_be_changed():
    classifier = load("squeezenet1_1", mean=[0, 0, 0], std=(1, 1, 1), input_size=(112, 168))
    assert classifier.mean.flatten().tolist() == [0, 0, 0] and classifier.std.flatten().tolist() == [1, 1, 1]
    assert classifier.input_size == (112, 168)
    assert classifier.resize == 168 * 256 / 224  # as much wider than the crop as before
    assert classifier(torch.rand(1, 3, 50, 60)).shape == (1, 1000)


@pytest.fixture(scope="module")
def resnet18():
    torch.manual_seed(0)
    return fresh("resnet18")


FORMS = {
    "weights.pth": lambda state: state,
    "weights.pt": lambda state: {"state_dict": state, "epoch": 3},
    "model.pth": lambda state: {"model": state},
    "module.pth": lambda state: {f"module.{name}": value for name, value in state.items()},
    "weights.safetensors": lambda state: state,
}


@pytest.mark.parametrize("file", FORMS)
def test_a_fine_tuned_network_in_every_form(tmp_path, resnet18, file):
    weights, labels = tmp_path / file, tmp_path / "labels.txt"
    (save_file if file.endswith(".safetensors") else torch.save)(FORMS[file](resnet18.state_dict()), weights)
    labels.write_text("\n".join(NAMES) + "\n")
    classifier = load("resnet18", weights=str(weights), labels=str(labels))
    weights.unlink()  # 45 MB
    images = torch.rand(2, 3, 120, 90)
    close(classifier(images), by_hand("resnet18", resnet18, images))
    assert list(classifier.labels) == NAMES and classifier.name(2) == "cat"
    assert classifier.find("dog", images).tolist() == [3, 3]
    assert fingerprint(classifier.network) == fingerprint(resnet18)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mobilenet_v2", {}),  # a head that is a Sequential
        ("squeezenet1_1", {}),  # a head that is a convolution
        ("mnasnet0_5", {}),  # a network that insists on a version in its state dict
        ("googlenet", {"aux_logits": True}),
        ("googlenet", {"aux_logits": False}),
        ("inception_v3", {"aux_logits": True}),
        ("inception_v3", {"aux_logits": False}),
    ],
)
def test_fine_tuned_heads(tmp_path, name, settings):
    network, weights = fresh(name, **settings), tmp_path / "weights.pth"
    torch.save(network.state_dict(), weights)
    classifier = load(name, weights=weights)
    weights.unlink()
    images = torch.rand(1, 3, 150, 200)
    close(classifier(images), by_hand(name, network, images))
    assert list(classifier.labels) == ["0", "1", "2", "3", "4"]


def published(name, folder, monkeypatch):
    """Where torchvision looks for a file that it fetched earlier."""
    monkeypatch.setenv("TORCH_HOME", str(folder))
    (folder / "hub" / "checkpoints").mkdir(parents=True)
    return folder / "hub" / "checkpoints" / models.get_model_weights(name).DEFAULT.url.rpartition("/")[2]


def test_the_published_densenet_has_older_names(tmp_path, monkeypatch):
    network = models.densenet121(weights=None).eval()
    state = {
        name.replace(".norm1.", ".norm.1.").replace(".conv1.", ".conv.1."): value
        for name, value in network.state_dict().items()
    }
    torch.save(state, published("densenet121", tmp_path, monkeypatch))
    assert fingerprint(load("densenet121").network) == fingerprint(network)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02}", b"<html>"])
def test_a_damaged_copy_of_a_published_file(tmp_path, monkeypatch, content):
    file = published("resnet18", tmp_path, monkeypatch)
    file.write_bytes(content)
    with pytest.raises(NetworkError, match="damaged; fetch that file") as caught:
        load("resnet18")
    assert one_line(caught) and str(file.parent) in str(caught.value)


def test_without_a_network_the_message_says_what_to_fetch(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise URLError("no route to host")

    file = published("resnet18", tmp_path, monkeypatch)
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(NetworkError) as caught:
        load("resnet18")
    assert one_line(caught)
    for part in (models.ResNet18_Weights.DEFAULT.url, str(file.parent), "--weights", "weights="):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {k: v for k, v in s.items() if k != "features.0.bias"}, r"1 missing \(features.0.bias\)"),
        (lambda s: s | {"fc.weight": torch.ones(5, 2)}, r"1 unexpected \(fc.weight\)"),
        (lambda s: s | {"features.0.bias": torch.ones(7)}, r"features.0.bias is \(7,\), the network's \(64,\)"),
        (lambda s: s | {"features.0.bias": torch.full((64,), torch.nan)}, "not finite"),
        (lambda s: s | {"features.0.bias": torch.ones(())}, r"features.0.bias is \(\), the network's \(64,\)"),
        (lambda s: s | {"classifier.1.bias": torch.ones(())}, r"classifier.1.bias is \(\), the network's \(1000,\)"),
        (lambda s: {"weight": torch.ones(())}, r"does not fit SqueezeNet.*1 unexpected \(weight\)"),
    ],
)
def test_weights_that_do_not_fit(tmp_path, squeezenet, change, message):
    torch.save(change(squeezenet.network.state_dict()), tmp_path / "weights.pth")
    with pytest.raises(NetworkError, match=message) as caught:
        load("squeezenet1_1", weights=tmp_path / "weights.pth")
    assert one_line(caught) and "weights.pth" in str(caught.value)


def test_a_file_that_is_no_weights(tmp_path):
    (tmp_path / "weights.pth").write_text("cat\ndog\n")
    with pytest.raises(NetworkError, match="not a file of PyTorch weights") as caught:
        load("squeezenet1_1", weights=tmp_path / "weights.pth")
    assert one_line(caught)


@pytest.mark.parametrize("count", [4, 999, 1001])
def test_labels_of_another_number(count):
    with pytest.raises(NetworkError, match=f"{count} labels for a network with 1000 classes"):
        load("squeezenet1_1", labels=[f"class {index}" for index in range(count)])


def test_labels_as_a_list():
    names = [f"class {index}" for index in range(1000)]
    assert load("squeezenet1_1", labels=names).labels == names


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet51", "did you mean .*'resnet50'"),
        ("ResNet18", "did you mean 'resnet18'"),
        ("efficientnet_lite", "did you mean .*'efficientnet_lite0'"),
        ("zzzzzzzz", "`interp models` lists them"),
        ("weights.pth", "`interp models` lists them"),
        ("no_such_module:make", "cannot import 'no_such_module'"),
        (":make", "cannot import ''"),
    ],
)
def test_unknown_names(name, hint):
    with pytest.raises(UnknownNameError, match=hint) as caught:
        load(name)
    assert one_line(caught)


def test_a_file_in_place_of_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.pth").touch()
    with pytest.raises(UnknownNameError, match="-m resnet18 --weights weights.pth"):
        load("weights.pth")


MODULE = """
import torch
from torch import nn
from interpret import Classifier, UnknownNameError

def bare():
    torch.rand(1)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    return network.train()

def wrapped():
    return nn.ModuleDict({"model": bare()})

def small():  # for pictures of one size
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 7))

def one():
    return nn.Sequential(nn.Conv2d(3, 1, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Sigmoid())

def whole():
    return Classifier(bare(), mean=[0.5] * 3, std=[0.25] * 3, labels=["ant", "bee", "cat"], input_size=8)

def failing():
    raise ValueError("no file\\nof weights")

def refusing():
    raise UnknownNameError("on purpose")

def blind():
    return nn.Sequential(nn.Conv2d(3, 3, 500), nn.Flatten())

number = 3

def gives_a_number():
    return number
"""
NOTHING = {"mean": [0, 0, 0], "std": [1, 1, 1]}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of the user's, by the name own_networks."""
    (tmp_path / "own_networks.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_networks", raising=False)
    yield tmp_path
    sys.modules.pop("own_networks", None)


@pytest.mark.parametrize(("function", "classes"), [("bare", 3), ("small", 7), ("one", 2)])
def test_the_users_own_network(own, function, classes):
    state = torch.get_rng_state()
    with torch.inference_mode():
        classifier = load(f"own_networks:{function}", **NOTHING)
    assert torch.equal(state, torch.get_rng_state())
    assert list(classifier.labels) == [str(index) for index in range(classes)]
    assert not classifier.network.training and classifier.input_size is None
    image = torch.rand(1, 3, 4, 4, requires_grad=True)
    gradient = torch.autograd.grad(classifier(image)[0, 1], image)[0]
    assert gradient.abs().sum() > 0 and not any(p.requires_grad for p in classifier.parameters())


def test_the_users_own_weights_and_labels(own):
    network = load("own_networks:bare", **NOTHING).network
    torch.save(network.state_dict(), own / "weights.pth")
    given = {"weights": own / "weights.pth", "labels": NAMES[:3], "input_size": 8}
    classifier = load("own_networks:bare", **given, **NOTHING)
    assert fingerprint(classifier.network) == fingerprint(network)
    assert list(classifier.labels) == NAMES[:3] and classifier.input_size == (8, 8)


def test_the_users_own_classifier(own):
    classifier = load("own_networks:whole")
    assert classifier.input_size == (8, 8) and classifier.mean.flatten().tolist() == [0.5] * 3
    assert list(classifier.labels) == ["ant", "bee", "cat"] and not classifier.network.training
    torch.save(classifier.network.state_dict(), own / "network.pth")
    torch.save(classifier.state_dict(), own / "classifier.pth")
    for weights in ("network.pth", "classifier.pth"):
        again = load("own_networks:whole", weights=own / weights)
        assert fingerprint(again.network) == fingerprint(classifier.network)
    assert list(load("own_networks:whole", labels=["x", "y", "z"]).labels) == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("function", "settings", "kind", "message"),
    [
        ("bare", {}, NetworkError, "--mean and --std"),
        ("bare", {"mean": [0, 0, 0]}, NetworkError, "--mean and --std"),
        ("whole", NOTHING, NetworkError, "returned a Classifier, which has its own mean"),
        ("whole", {"labels": ["ant"]}, NetworkError, "1 labels for a network with 3 classes"),
        ("bare", NOTHING | {"labels": "no_labels.txt"}, InterpretError, "no_labels.txt"),
        ("failing", {}, NetworkError, r"own_networks:failing\(\) failed: ValueError: no file of weights"),
        ("refusing", {}, UnknownNameError, "^on purpose$"),
        ("number", {}, NetworkError, "TypeError"),
        ("gives_a_number", {}, NetworkError, "returned a int, not an nn.Module"),
        ("blind", NOTHING, NetworkError, "cannot take 224 x 224 pixels"),
        ("bear", {}, UnknownNameError, "no 'bear'; did you mean 'bare'"),
        ("", {}, UnknownNameError, "has no ''"),
    ],
)
def test_what_a_users_function_can_do_wrong(own, function, settings, kind, message):
    with pytest.raises(kind, match=message) as caught:
        load(f"own_networks:{function}", **settings)
    assert one_line(caught)


@pytest.mark.parametrize("line", ["import no_such_module", "None.attribute", "1 / 0", "def f(:", "x = 'a\\nb'; {}[x]"])
def test_a_module_that_cannot_be_imported(tmp_path, monkeypatch, line):
    (tmp_path / "broken_networks.py").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnknownNameError, match="cannot import 'broken_networks': ") as caught:
        load("broken_networks:make")
    assert one_line(caught)


@pytest.mark.parametrize("name", ["vit_h_14", pytest.param(None, marks=pytest.mark.slow)])
def test_torchvision_networks_take_the_size_of_their_published_weights(name):
    for each in [name] if name else torchvision_names():
        if each.startswith("regnet"):
            continue  # their initialisation needs real numbers
        recipe = named_network(each)
        with torch.device("meta"), torch.no_grad():
            network = recipe.build().eval()
            assert network(torch.empty(1, 3, recipe.input_size, recipe.input_size)).shape == (1, 1000)


def test_timm(tmp_path):
    timm = pytest.importorskip("timm")
    network = timm.create_model("test_resnet", num_classes=5).eval()
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    classifier = load("timm:test_resnet", weights=tmp_path / "model.safetensors", labels=NAMES)
    config = timm.data.resolve_data_config(model=network)
    assert classifier.input_size == config["input_size"][1:]
    assert classifier.interpolation == config["interpolation"]
    assert classifier.resize == int(config["input_size"][1] / config["crop_pct"])
    inputs = torch.rand(2, *config["input_size"])
    mean, std = (torch.tensor(config[name]).view(3, 1, 1) for name in ("mean", "std"))
    with torch.no_grad():
        close(classifier.on_inputs()(inputs), network((inputs - mean) / std))
    assert list(classifier.labels) == NAMES


@pytest.mark.parametrize(
    ("name", "hint"),
    [("resnet181", "'resnet18'"), ("resnet18.a1_in2k", "'resnet18.a1_in1k'"), ("", "no network ''")],
)
def test_unknown_names_of_timm(name, hint):
    pytest.importorskip("timm")
    with pytest.raises(UnknownNameError, match=hint):
        load(f"timm:{name}")


def test_timm_without_a_network(monkeypatch):
    timm = pytest.importorskip("timm")

    def offline(*args, **kwargs):
        raise OSError("no route\nto host")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(NetworkError, match="timm/resnet18.a1_in1k.*--weights") as caught:
        load("timm:resnet18")
    assert one_line(caught)


def test_without_timm(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(NetworkError, match="pip install"):
        load("timm:resnet18")


def test_a_classifier_is_what_load_returns(squeezenet):
    assert isinstance(squeezenet, Classifier) and interpret.load is load
