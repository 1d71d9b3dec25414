"""The options that say which network is looked into, and how exactly it computes."""

from pathlib import Path

import numpy as np
import pytest

import interpret
from cli.options.network import ModelOptions, network_name
from interpret.models.architectures import build
from interpret.models.saved import Recipe, save_trained
from tests.command import SQUEEZE, TINY, interp


@pytest.mark.parametrize("command", ["predict", "layers"])
def test_other_commands_know_the_model_options(command):
    run = interp(command, *(["sample:cat"] if command == "predict" else []), *TINY)
    assert run.status == 0
    assert "rose" in run.out or "conv1" in run.out


def test_the_file_of_a_trained_network_is_a_model(tmp_path):
    recipe = Recipe("cnn", 3, 3, (16, 24), ("ant", "bee", "cat"), (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
    save_trained(tmp_path / "best.pt", build("cnn", classes=3, channels=3, size=(16, 24)), recipe)
    ran = interp("gradcam", "sample:cat", "-m", "best.pt", "-c", "bee")
    assert ran.status == 0 and "bee" in ran.paths[0].name
    (tmp_path / "notes.pt").write_text("hello")
    ran = interp("gradcam", "sample:cat", "-m", "notes.pt")
    assert ran.status == 2 and "--weights notes.pt" in ran.err


def test_maps_in_narrow_numbers_are_those_of_python(squeezenet, cat):
    run = interp("gradcam", "sample:cat", *SQUEEZE, "--precision", "bf16", "-c", "tabby", "-o", "narrow.npy")
    assert run.status == 0, run.err
    exact = interpret.gradcam(squeezenet, cat, squeezenet.find("tabby", cat))[0].numpy()
    found = np.load("narrow.npy")
    assert np.corrcoef(exact.ravel(), found.ravel())[0, 1] > 0.99 and not np.array_equal(exact, found)


def test_cam_in_narrow_numbers():
    run = interp("cam", "sample:cat", "--precision", "bf16", "-c", "tabby", "-o", "narrow.npy")
    assert run.status == 0, run.err
    assert np.isfinite(np.load("narrow.npy")).all()


def test_folding_changes_no_prediction():
    plain, fast = (interp("predict", "sample:cat", *more) for more in ((), ("--fold",)))
    assert (fast.status, fast.out) == (0, plain.out)


def test_files_of_one_name_are_told_apart(tmp_path):
    names = [str(tmp_path / folder / "best.pt") for folder in ("plain", "robust")] + ["resnet18"]
    for name in names[:2]:
        Path(name).parent.mkdir()
        Path(name).touch()
    shown = [network_name(name, names) for name in names]
    assert len(set(shown)) == 3 and shown[0].endswith("plain/best") and shown[2] == "resnet18"
    assert network_name(names[0], names[:1]) == "best"


def test_fresh_weights_are_no_file():
    ModelOptions(model="resnet18", weights="random").check_classes("tabby")
    with pytest.raises(interpret.NetworkError, match="no weights file 'rondom'"):
        ModelOptions(model="resnet18", weights="rondom").check_classes("tabby")
