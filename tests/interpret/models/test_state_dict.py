"""Files of weights: every form they come in, every way they can be wrong."""

import os
import pickle
import warnings

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import VisionTransformer, densenet, mnasnet0_5

from interpret import NetworkError
from interpret.models.state_dict import fill, read_weights
from interpret.network.fingerprint import fingerprint


def tiny():
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))


def prefixed(state, prefix):
    return {prefix + name: value for name, value in state.items()}


FORMS = {
    "plain": lambda state: state,
    "state_dict": lambda state: {"state_dict": state, "epoch": 3},
    "model": lambda state: {"model": state, "optimizer": {"state": {}}},
    "model_state_dict": lambda state: {"loss": 0.1, "model_state_dict": state},
    "module.": lambda state: prefixed(state, "module."),
    "compiled and parallel": lambda state: prefixed(state, "_orig_mod.module."),
    "lightning": lambda state: {"state_dict": prefixed(state, "model."), "epoch": 3},
    "classifier": lambda state: prefixed(state, "network."),
    "half": lambda state: {name: value.half() if value.is_floating_point() else value for name, value in state.items()},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("zipped", [True, False])
def test_forms(tmp_path, form, zipped):
    state = {name: torch.rand(value.shape).half().to(value.dtype) for name, value in tiny().state_dict().items()}
    torch.save(form(state), tmp_path / "weights.pth", _use_new_zipfile_serialization=zipped)
    network = tiny()
    fill(network, read_weights(tmp_path / "weights.pth"), "the file")
    assert all(torch.equal(network.state_dict()[name], value) for name, value in state.items())


@pytest.mark.parametrize("prefix", ["", "module."])
def test_safetensors(tmp_path, prefix):
    state = tiny().state_dict()
    save_file(prefixed(state, prefix), tmp_path / "weights.safetensors")
    read = read_weights(tmp_path / "weights.safetensors")
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], value) for name, value in state.items())


@pytest.mark.parametrize("given", ["", "model.", "module.model."])
@pytest.mark.parametrize("own", ["model", "module", "backbone"])
def test_a_network_may_itself_be_wrapped(tmp_path, given, own):
    network, state = nn.ModuleDict({own: tiny()}), tiny().state_dict()
    state = prefixed(state, given if own != "backbone" else given + "backbone.")
    torch.save(state, tmp_path / "weights.pth")
    fill(network, read_weights(tmp_path / "weights.pth"), "the file")
    assert fingerprint(network[own]) == fingerprint_of(state)


def fingerprint_of(state):
    network = tiny()
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    return fingerprint(network)


def test_the_names_that_older_densenets_have():
    network = densenet.DenseNet(4, (2, 1), 8, num_classes=3)
    state = network.state_dict()
    former = {
        name.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): value.clone()
        for name, value in state.items()
    }
    assert former.keys() != state.keys()
    other = densenet.DenseNet(4, (2, 1), 8, num_classes=3)
    fill(other, former, "the file")
    assert fingerprint(other) == fingerprint(network)


def vit():
    return VisionTransformer(32, 16, num_layers=2, num_heads=1, hidden_dim=4, mlp_dim=4, num_classes=3)


def test_the_names_that_older_vision_transformers_have():
    network, other = vit(), vit()
    former = {
        name.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): value
        for name, value in network.state_dict().items()
    }
    assert former.keys() != network.state_dict().keys()
    fill(other, former, "the file")
    assert fingerprint(other) == fingerprint(network)


def test_a_network_that_insists_on_a_version():
    network, other = mnasnet0_5(weights=None, num_classes=3), mnasnet0_5(weights=None, num_classes=3)
    fill(other, dict(network.state_dict()), "the file")  # a plain dictionary has no version
    assert fingerprint(other) == fingerprint(network)


def test_counters_of_batch_norm_may_be_missing():
    state = tiny().state_dict()
    del state["1.num_batches_tracked"]
    fill(tiny(), state, "the file")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.bias": None}, r"1 missing \(0.bias\)"),
        ({"2.weight": torch.zeros(1), "extra": torch.zeros(1)}, r"2 unexpected \(2.weight; extra\)"),
        ({"0.weight": torch.zeros(2, 1, 3, 3)}, r"1 of another shape \(0.weight is \(2, 1, 3, 3\), the network's"),
        ({"0.bias": None, "0.beta": torch.zeros(2)}, r"1 missing \(0.bias\), 1 unexpected \(0.beta\)"),
        ({f"{i}.w": torch.zeros(1) for i in range(9)}, r"9 unexpected \(0.w; 1.w; 2.w; …\)"),
        ({"0.weight": torch.full((2, 3, 3, 3), torch.nan)}, "not finite"),
        ({"1.running_var": torch.tensor([1, torch.inf])}, "not finite"),
    ],
)
def test_what_does_not_fit(change, message):
    state = {name: value for name, value in (tiny().state_dict() | change).items() if value is not None}
    with pytest.raises(NetworkError, match=message) as caught:
        fill(tiny(), state, "the file")
    assert str(caught.value).startswith("the file ") and "\n" not in str(caught.value)


def test_a_network_without_weights_takes_none():
    with pytest.raises(NetworkError, match="6 unexpected|7 unexpected"):
        fill(nn.ReLU(), tiny().state_dict(), "the file")


class Evil:
    """Unpickling it makes a folder."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


def torchscript(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, and files of it are still about
        torch.jit.save(torch.jit.script(nn.ReLU()), str(path))


def truncated(share, **options):
    def write(path):
        torch.save(tiny().state_dict(), path, **options)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return write


DAMAGED = "not a file of PyTorch weights, or it is damaged; fetch it again"
UNREADABLE = {
    "missing.pth": (lambda path: None, "no weights file .*check the path"),
    "folder.pth": (lambda path: path.mkdir(), "no weights file .*check the path"),
    "graph.onnx": (lambda path: path.write_bytes(b"\x08\x07"), r"ONNX.*save the weights alone"),
    "script.pt": (torchscript, r"TorchScript.*save the weights alone: torch.save\(network.state_dict"),
    "network.pth": (lambda path: torch.save(tiny(), path), "whole pickled object.*save the weights alone"),
    "old_network.pth": (
        lambda path: torch.save(tiny(), path, _use_new_zipfile_serialization=False),
        "whole pickled object.*save the weights alone",
    ),
    "empty.pth": (lambda path: path.touch(), DAMAGED),
    "text.pth": (lambda path: path.write_text("cat\ndog\n"), DAMAGED),
    "pointer.pth": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), DAMAGED),
    "half.pth": (truncated(0.5), DAMAGED),
    "nearly.pth": (truncated(0.95), DAMAGED),
    "old_half.pth": (truncated(0.5, _use_new_zipfile_serialization=False), DAMAGED),
    "old_nearly.pth": (truncated(0.95, _use_new_zipfile_serialization=False), DAMAGED),
    "pickle.pth": (lambda path: path.write_bytes(pickle.dumps({"accuracy": 0.5})), DAMAGED),
    "empty.safetensors": (lambda path: path.touch(), DAMAGED),
    "text.safetensors": (lambda path: path.write_text("cat\ndog\n" * 9), DAMAGED),
    "number.pth": (lambda path: torch.save(3, path), "holds a int, not a state dict; save the weights"),
    "list.pth": (lambda path: torch.save([torch.ones(1)], path), "holds a list, not a state dict; save the weights"),
    "nothing.pth": (lambda path: torch.save({}, path), "no tensors; its keys are none; save the weights"),
    "numbers.pth": (
        lambda path: torch.save({"epoch": 3, "lr": 1}, path),
        "no tensors; its keys are 'epoch', 'lr'; save",
    ),
    "numbered.pth": (lambda path: torch.save({0: torch.ones(1)}, path), "no tensors; its keys are 0; save"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_files(tmp_path, name):
    write, message = UNREADABLE[name]
    write(tmp_path / name)
    with pytest.raises(NetworkError, match=message) as caught:
        read_weights(tmp_path / name)
    assert "\n" not in str(caught.value) and str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_damage_anywhere_is_one_line(tmp_path, zipped):
    path, generator = tmp_path / "weights.pth", torch.Generator().manual_seed(0)
    torch.save(tiny().state_dict(), path, _use_new_zipfile_serialization=zipped)
    whole, refused = path.read_bytes(), 0
    for _ in range(100):
        damaged = bytearray(whole)
        for place in torch.randint(len(whole), (3,), generator=generator).tolist():
            damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            read_weights(path)  # where only numbers are damaged, nobody can tell
        except NetworkError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 10


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_does_not_run(tmp_path, zipped):
    torch.save({"state_dict": Evil(tmp_path / "made")}, tmp_path / "evil.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(NetworkError, match="could run any code"):
        read_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "made").exists()
    torch.load(tmp_path / "evil.pth", weights_only=False)
    assert (tmp_path / "made").exists()  # it would have


def test_fingerprint():
    network = tiny()
    other = tiny()
    other.load_state_dict(network.state_dict())
    print_ = fingerprint(network)
    assert len(print_) == 12 and set(print_) <= set("0123456789abcdef")
    assert print_ == fingerprint(network.eval().requires_grad_(False)) == fingerprint(other)
    assert print_ == fingerprint(network.to(memory_format=torch.channels_last))
    with torch.no_grad():
        network[0].weight[1, 2, 0, 1] += 1e-6
    assert print_ != fingerprint(network)
    other[1].running_mean[0] = 1e-6
    assert print_ != fingerprint(other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_fingerprint_of_other_kinds_of_numbers(dtype):
    assert fingerprint(tiny().to(dtype)) != fingerprint(tiny().to(dtype))
    network = tiny()
    assert fingerprint(network.to(dtype)) == fingerprint(network.to(dtype))
