"""`interp filters`, `interp activations` and `interp top-activations`, as a user types them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interpret import Classifier
from interpret.images import files as pictures
from tests.command import CAT, TINY, flowers, interp
from tests.tiny import Planted

PLANTED = ("-m", "tests.cli.commands.test_activations:planted")


def planted() -> Classifier:
    """The network with a planted patch, a dead unit and one for brightness, with weights that stay."""
    torch.manual_seed(0)
    return Classifier(Planted(), mean=(0,) * 3, std=(1,) * 3, input_size=32)


def linear() -> Classifier:
    """A linear classifier of small grey pictures."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
    return Classifier(network, mean=(0,), std=(1,), input_size=8, labels=("one", "two", "three"))


def sides(path: Path) -> int:
    with Image.open(path) as picture:
        return min(picture.size)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data" / "inner").mkdir(parents=True)
    for number in range(4):
        pictures.write(tmp_path / "data" / f"{number}.png", torch.full((1, 3, 32, 40), 0.2 + number / 10))
    pictures.write(tmp_path / "data" / "inner" / "4.png", torch.full((1, 3, 32, 32), 0.9))
    return tmp_path / "data"


@pytest.mark.parametrize("options", [(), ("--scale", "shared"), ("--layer", "conv2"), ("--most", "3")])
def test_filters(options):
    run = interp("filters", *TINY, *options)
    assert run.status == 0, run.err
    (path,) = run.paths
    layer = "_conv2" if "--layer" in options else ""
    assert path.name == f"tests.command-flowers_filters{layer}.png"
    assert sides(path) > 100
    assert ("the first 3 of 8 filters" in run.err) == ("--most" in options)


def test_filters_as_arrays_and_templates_of_a_linear_network():
    assert interp("filters", *TINY, "-o", "weights.npz").status == 0
    assert np.array_equal(np.load("weights.npz")["filters"], flowers().network.conv1.weight.detach().numpy())
    run = interp("filters", "-m", "tests.cli.commands.test_activations:linear", "-o", "templates.svg")
    assert run.status == 0, run.err
    assert Path("templates.svg").exists()


def test_activations(data):
    run = interp("activations", CAT, *TINY, "--layer", "relu#2", "--scale", "shared", "--json")
    assert run.status == 0, run.err
    about = json.loads(run.out)
    assert about["path"] == "cat_activations_relu-2.png" and about["layer"] == "relu#2"
    run = interp("activations", data, *TINY, "-o", "maps/")
    assert [str(path) for path in run.paths] == [f"maps/{number}_activations_relu-2.png" for number in range(4)]
    assert interp("activations", CAT, *TINY, "--layer", "conv1", "-o", "maps.npy").status == 0
    assert np.load("maps.npy").shape == (8, 32, 32)


def test_dead_channels_and_broken_pictures_are_said(data):
    (data / "2.png").write_text("no picture")
    run = interp("activations", data, *PLANTED, "--layer", "relu")
    assert run.status == 1 and len(run.paths) == 3
    assert "2.png is empty, damaged" in run.err
    assert "2 of 3 channels are zero everywhere" in run.err


def test_top_activations_are_drawn_once_and_remembered(data):
    line = ("top-activations", data, *PLANTED, "--layer", "relu", "--top", "3")
    run = interp(*line, "--channel", "2")
    assert run.status == 0, run.err
    (path,) = run.paths
    assert path.name == "top-activations_relu_2.png" and sides(path) > 300
    assert "scanned 4 of 4 pictures; the index is interp-out/top-activations_relu_" in run.err
    run = interp(*line, "--channel", "2", "-o", "again.png", "--field", "full", "--rule", "guided")
    assert "scanned 0 of 4" in run.err
    run = interp(*line, "--channel", "2", "-r", "--json", "-q")
    (found,) = json.loads(run.out)["found"].values()
    assert [Path(row["path"]).name for row in found] == ["4.png", "3.png", "2.png"] and not run.err
    assert found[0]["value"] == pytest.approx(0.9, abs=2e-3)
    run = interp(*line, "--channel", "2", "-o", "found.npz")
    assert run.status == 0 and list(np.load("found.npz")["channels"]) == [2, 2, 2]


def test_a_dead_unit_is_said_and_not_drawn(data):
    run = interp("top-activations", data, *PLANTED, "--layer", "relu", "--channel", "1,2", "--index", "i.npz")
    assert run.status == 0 and Path("i.npz").exists()
    assert "channel 1 of relu is never above 0 on this data" in run.err
    assert run.paths == [Path("top-activations_relu_2.png")]
    run = interp("top-activations", data, *PLANTED, "--layer", "relu", "--channel", "1", "--index", "i.npz")
    assert run.status == 0 and not run.out


def test_the_bundled_photos_are_the_default():
    run = interp("top-activations", *TINY, "--layer", "relu#2", "--channel", "0,5", "--top", "2")
    assert run.status == 0, run.err
    assert run.paths == [Path("top-activations_relu-2_0-5.png")]


def test_a_broken_picture_leaves_the_others(data):
    (data / "2.png").write_text("no picture")
    run = interp("top-activations", data, *PLANTED, "--layer", "relu", "--channel", "2")
    assert run.status == 1 and len(run.paths) == 1
    assert run.err.count("2.png is empty, damaged") == 1


WRONG = {
    "channel": (["--layer", "relu", "--channel", "3"], "layer 'relu' has no channel 3: they are 0 to 2"),
    "no number": (["--layer", "relu", "--channel", "a"], "'a' is not a list of channel numbers such as 3,17"),
    "layer": (["--layer", "rel", "--channel", "0"], "no layer 'rel' in Planted; did you mean 'relu'"),
    "index": (["--layer", "relu", "--channel", "0", "--index", "notes.txt"], "notes.txt is no index of top act"),
    "output": (["--layer", "relu", "--channel", "0", "-o", "crops.gif"], "cannot write '.gif' files"),
}


@pytest.mark.parametrize(("options", "line"), WRONG.values(), ids=WRONG)
def test_what_goes_wrong_is_one_line(data, options, line):
    Path("notes.txt").write_text("mine\n")
    run = interp("top-activations", data, *PLANTED, *options)
    assert run.status == 2 and not run.out
    assert line in run.err and run.err.count("\n") == 1
    assert Path("notes.txt").read_text() == "mine\n"


def test_standard_input_cannot_be_indexed():
    run = interp("top-activations", "-", *PLANTED, "--layer", "relu", "--channel", "0", stdin=b"x")
    assert run.status == 2 and "an index is of files" in run.err
