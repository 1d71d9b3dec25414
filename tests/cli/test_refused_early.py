"""What can be known to be wrong is found before a network is loaded, and said with the remedy that fits."""

from pathlib import Path

import pytest
import torch

import interpret
from interpret.errors import InterpretError, NetworkError, did_you_mean
from interpret.models import load as loading
from tests.command import CAT, FLOWERS, TINY, bare_flowers, interp, process

EARLY = {  # what is typed -> what is said, and no network is built
    "class": (["gradcam", CAT, "-c", "catt"], "no class is called 'catt'"),
    "versus": (["gradcam", CAT, "--versus", "catt"], "no class is called 'catt'"),
    "index": (["saliency", CAT, "-c", "1000"], "there is no class 1000"),
    "file": (["gradcam", "nothing.jpg"], "no picture 'nothing.jpg'"),
    "labels": (["gradcam", CAT, "--labels", "nothing.txt", "-c", "cat"], "there is no file nothing.txt"),
    "other labels": (["gradcam", CAT, "--labels", "names.txt", "-c", "roes"], "no class is called 'roes'"),
    "weights": (["predict", CAT, "--weights", "nothing.pth"], "no weights file 'nothing.pth'"),
    "label": (["attack", "fgsm", CAT, "--label", "catt"], "no class is called 'catt'"),
    "target": (["attack", "patch", "--target", "catt"], "no class is called 'catt'"),
    "grid": (["grid", CAT, "-c", "catt"], "no class is called 'catt'"),
    "report": (["report", CAT, "-c", "catt"], "no class is called 'catt'"),
    "dream": (["dream", CAT, "-c", "catt"], "no class is called 'catt'"),
}


@pytest.mark.parametrize("name", EARLY)
def test_before_the_network_is_loaded(name, monkeypatch):
    def build(*_):
        raise AssertionError("the network was built")

    monkeypatch.setattr(loading, "fill", build)
    Path("names.txt").write_text("\n".join(FLOWERS))
    words, says = EARLY[name]
    run = interp(*words)
    assert run.status == 2 and says in run.err and run.err.count("\n") == 1, run.err


@pytest.mark.parametrize("command", ["robustness", "faithfulness", "sanity"])
def test_a_folder_is_not_called_like_a_file(command):
    run = interp("evaluate", command, ".", "-o", "rob.png", *TINY)
    assert run.status == 2 and "'rob.png' is called like a file" in run.err and not Path("rob.png").exists()


def test_words_that_are_no_pictures():
    Path("dangling.jpg").symlink_to("gone.jpg")
    for word, says in {
        "saliency": "names of one option take commas between them and no blanks",
        "integrated-gradients": "names of one option take commas",
        "https://example.org/cat.jpg": "fetch it first: curl -LO https://example.org/cat.jpg",
        "dangling.jpg": "it is a link to gone.jpg, which is not there",
    }.items():
        run = interp("predict", word, *TINY)
        assert run.status == 2 and says in run.err, run.err
    assert "curl -LO" in interp("predict", CAT, "--weights", "https://example.org/a.pth").err
    assert "curl -LO" in interp("predict", CAT, "-m", "https://example.org/a.pth").err
    with pytest.raises(InterpretError, match="fetch it first"):
        interpret.read("https://example.org/cat.jpg")


def test_a_name_is_never_its_own_remedy():
    assert did_you_mean("act#1", ["act#1", "act#2"]) == "; did you mean 'act#2'?"
    assert did_you_mean("cat", ["cat"]) == ""
    assert did_you_mean("cat", ["Cat"]) == "; did you mean 'Cat'?"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": bare_flowers()}, "not a SmallCNN: call interpret.Classifier"),
        ({"name": 7}, "not a int"),
        ({"weights": {"a": torch.zeros(1)}}, "weights is a file, not a dict"),
        ({"mean": 0.5}, "mean is one number a channel each"),
        ({"std": "0.5,0.5,0.5"}, "std is one number a channel each"),
        ({"mean": (0.5, "x", 0.5)}, "mean is one number a channel each"),
    ],
    ids=str,
)
def test_load_refuses_what_is_of_another_kind(given, says):
    with pytest.raises(NetworkError, match=says):
        interpret.load(**given)


def test_layers_of_a_bare_network():
    run = interp("layers", "-m", "tests.command:bare_flowers")
    assert run.status == 0 and "conv1" in run.out


def test_a_channel_that_is_none_is_no_class():
    run = interp("visualize", "conv1:1-5", *TINY)
    assert run.status == 2 and "conv1:1-5 names no channel; one is conv1:17" in run.err


def five_channels():
    """A network whose pictures no file can show."""
    network = torch.nn.Sequential(torch.nn.Conv2d(5, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    return interpret.Classifier(network, mean=(0.5,) * 5, std=(0.5,) * 5, input_size=16)


def test_pictures_that_cannot_be_drawn_are_refused_before_the_first_step():
    run = interp("visualize", "0", "-m", "tests.cli.test_refused_early:five_channels")
    assert run.status == 2 and "pictures of 5 channels" in run.err


def test_a_picture_too_small_to_dream_of(tmp_path):
    interpret.images.files.write("small.png", torch.rand(1, 3, 2, 3))
    run = interp("dream", "small.png", "--steps", "1", "-m", "squeezenet1_1")
    assert run.status == 2 and "the network cannot take this picture" in run.err, run.err


def test_libtiff_says_nothing_itself(tmp_path):
    from PIL import Image

    Image.effect_noise((64, 64), 90).save("noise.tif", compression="tiff_lzw")
    content = bytearray(Path("noise.tif").read_bytes())
    content[100:160] = b"\xff" * 60
    Path("noise.tif").write_bytes(content)
    run = process("predict", "noise.tif", "-q", *TINY)
    assert run.returncode == 1 and run.stderr.startswith("Error: noise.tif") and run.stderr.count("\n") == 1
