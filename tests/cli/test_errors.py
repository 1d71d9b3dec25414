"""What goes wrong ends in one line that helps, the right exit status, and no half file."""

import errno
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from interpret.images import files as pictures
from tests.command import CAT, REPOSITORY, TINY, all_commands, interp

ROSE = (*TINY, "-c", "rose")


REQUIRED = [
    (path, command)
    for path, command in all_commands()
    if any(isinstance(option, click.Option) and option.required for option in command.params)
]


@pytest.fixture(autouse=True)
def _files(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("no picture\n")
    torch.save(resnet18(num_classes=4).state_dict(), "four.pth")


WRONG = {  # what is typed behind `interp gradcam` -> what the line says
    "class": (["sample:cat", "-c", "catt"], "no class is called 'catt'; did you mean 'cat'"),
    "index": (["sample:cat", "-c", "1000"], "there is no class 1000: the indices are 0 to 999"),
    "versus": (["sample:cat", *TINY, "--versus", "ros"], "no class is called 'ros'; did you mean 'rose'"),
    "layer": (["sample:cat", *TINY, "--layer", "conv3"], "no layer 'conv3' in SmallCNN; did you mean 'conv2'"),
    "model": (["sample:cat", "-m", "resnet5"], "no network 'resnet5'; did you mean 'resnet50'"),
    "checkpoint as model": (["sample:cat", "-m", "four.pth"], "say which network it holds: -m resnet18 --weights"),
    "file": (["ct.jpg"], "no picture 'ct.jpg'; `interp samples` lists the bundled ones"),
    "similar file": (["file.tx"], "no picture 'file.tx'; did you mean 'file.txt'?"),
    "sample": (["sample:kiten"], "there is no sample 'kiten'; did you mean 'kitten'?"),
    "glob": (["emp*"], "no picture 'emp*'"),
    "folder without pictures": (["empty"], "no pictures in the folder empty; -r goes into the folders inside it"),
    "weights": (["sample:cat", "--weights", "file.txt"], "file.txt is not a file of PyTorch weights"),
    "no weights": (["sample:cat", "--weights", "nothing.pth"], "no weights file 'nothing.pth'; check the path"),
    "other shapes": (["sample:cat", "-m", "resnet50", "--weights", "four.pth"], "four.pth does not fit ResNet"),
    "labels": (["sample:cat", *TINY, "--labels", "file.txt"], "1 labels for a network with 5 classes"),
    "no labels": (["sample:cat", *TINY, "--labels", "nothing.txt"], "there is no file nothing.txt"),
    "module": (["sample:cat", "-m", "nowhere:network"], "cannot import 'nowhere'"),
    "function": (
        ["sample:cat", "-m", "tests.command:dark_flower"],
        "no 'dark_flower'; did you mean 'dark_flowers'",
    ),
    "preprocessing": (["sample:cat", "--mean", "0.5,0.5"], "one number a channel each"),
    "suffix": (["sample:cat", "-o", "map.gif"], "cannot write '.gif' files; the suffix is one of .png"),
    "one file": (["sample:cat", *TINY, "--top-k", "2", "-o", "map.png"], "2 results do not fit one file"),
    "one output": (["sample:cat", "sample:kitten", "-o", "-"], "2 results do not fit one file; give -o a folder"),
    "scale": (["sample:cat", "--scale", "-1"], "--scale is each, shared or a number above 0, not '-1'"),
    "place": (["sample:cat", *ROSE, "-o", "file.txt/map.png"], "cannot make the folder file.txt: a file is in the way"),
    "no permission": (["sample:cat", *ROSE, "-o", "/proc/maps/map.png"], "cannot make the folder /proc/maps: "),
    "command line": (["sample:cat", "--vieww", "overlay"], "No such option"),
    "type": (["sample:cat", "--seed", "x"], "Invalid value for '--seed': 'x' is not a valid integer"),
    "numbers": (["sample:cat", "--mean", "a,b"], "'a,b' is not a list of numbers such as 0.485,0.456,0.406"),
    "size": (["sample:cat", "--input-size", "big"], "'big' is not a size such as 224 or 224x320"),
    "choice": (["sample:cat", "--view", "all"], "'all' is not one of"),
    "nothing": ([], "Missing argument 'PICTURE...'; `interp gradcam --help` tells more"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_usage_is_one_line_and_status_2(wrong):
    words, says = WRONG[wrong]
    before = sorted(Path().rglob("*"))
    run = interp("gradcam", *words)
    assert run.status == 2
    assert run.err.startswith("Error: ") and run.err.count("\n") == 1, run.err
    assert says in run.err
    assert run.out == ""
    assert sorted(Path().rglob("*")) == before


def test_a_mistyped_command():
    assert interp("gradcm").err.startswith("Error: no command 'gradcm'; did you mean 'gradcam'")
    assert interp("input_gradcam").status == 2
    assert interp("zzz").err == "Error: no command 'zzz'; `interp --help` tells more\n"


@pytest.mark.parametrize("command", ["gradcam", "predict"])
def test_a_broken_picture_does_not_stop_the_others(tmp_path, command):
    for name in ("a.jpg", "c.jpg"):
        shutil.copy(CAT, tmp_path / name)
    (tmp_path / "b.jpg").write_bytes(CAT.read_bytes()[:5000])
    run = interp(command, ".", *(ROSE if command == "gradcam" else TINY))
    assert run.status == 1
    (failure,) = re.findall("Error: .*", run.err)
    assert failure.startswith("Error: b.jpg is damaged, incomplete ")
    assert [name in run.out for name in ("a", "c")] == [True, True]
    assert "b.jpg" not in run.out
    again = interp(command, ".", *TINY, "-vv", "-q")
    assert again.status == 1
    assert "Traceback" in again.err
    assert again.err.rstrip().splitlines()[-1].startswith("Error: b.jpg is damaged")


def test_a_picture_that_the_network_cannot_take_is_named():
    for command in ("gradcam", "predict"):
        run = interp(command, "sample:cat", "--input-size", 1)
        assert run.status == 1
        assert run.err.startswith("Error: sample:cat: ") and run.err.count("\n") == 1


def test_standard_input_without_a_picture():
    run = subprocess.run(
        [sys.executable, "-m", "cli", "predict", "-", *TINY], input=b"", capture_output=True, cwd=REPOSITORY
    )
    assert run.returncode == 1
    assert run.stderr.startswith(b"Error: standard input is empty, damaged or no picture of a known kind")


@pytest.mark.parametrize("suffix", ["png", "npz", "pdf"])
def test_a_full_disk(tmp_path, monkeypatch, suffix):
    kept = tmp_path / f"map.{suffix}"
    kept.write_text("what was there")
    before = sorted(tmp_path.iterdir())

    def full(self, content):
        with open(self, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(pictures.Path, "write_bytes", full)
    run = interp("gradcam", CAT, *ROSE, "-o", f"map.{suffix}")
    assert (run.status, run.err) == (1, f"Error: cannot write map.{suffix}: No space left on device\n")
    assert run.out == ""
    assert kept.read_text() == "what was there"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_device(tmp_path):
    (tmp_path / "full.png").symlink_to("/dev/full")
    run = interp("gradcam", CAT, *ROSE, "-o", "full.png")
    assert (run.status, run.err) == (1, "Error: cannot write full.png: No space left on device\n")
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "cli", "gradcam", CAT, *ROSE, "-o", "-"]
        piped = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert (piped.returncode, piped.stderr) == (1, "Error: standard output: No space left on device\n")


def numpy_refuses() -> Exception:
    """The error of NumPy, whose class has no public name."""
    with pytest.raises(MemoryError) as raised:
        np.empty((10**6, 10**6, 10**5))
    return raised.value


SHORT_OF_MEMORY = [
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB.\nGPU 0 has a total capacity of 139 GiB"),
    torch.OutOfMemoryError("HIP out of memory"),
    numpy_refuses(),
]


@pytest.mark.parametrize("error", SHORT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_memory_that_does_not_suffice_is_said_in_a_sentence(monkeypatch, error):
    def short(*_, **__):
        raise error

    sentence = "memory does not suffice; scale the picture down, or take fewer at a time or a smaller network"
    monkeypatch.setattr(importlib.import_module("cli.commands.predict"), "top_of", short)
    run = interp("predict", CAT, *TINY)
    assert run.status == 1 and run.err in (f"Error: {sentence}\n", f"Error: {CAT}: {sentence}\n")
    monkeypatch.setattr(importlib.import_module("cli.commands.predict"), "sources_of", short)
    assert interp("predict", CAT, *TINY).err == f"Error: {sentence}\n"


def test_an_unexpected_error_tells_how_to_see_more(monkeypatch):
    def broken(*_, **__):
        raise ValueError("it\nbroke")

    monkeypatch.setattr(importlib.import_module("cli.commands.predict"), "sources_of", broken)
    run = interp("predict", CAT, "-v")
    assert (run.status, run.err) == (1, "Error: ValueError: it broke; run again with -vv for the whole story\n")
    run = interp("predict", CAT, "-vv")
    assert run.err.startswith("Traceback (most recent call last)")
    assert run.err.endswith("for the whole story\n")


def test_a_closed_pipe_is_no_error():
    script = f'"{sys.executable}" -m cli classes | head -1'
    run = subprocess.run(script, shell=True, capture_output=True, text=True, cwd=REPOSITORY)
    assert (run.stdout.count("\n"), run.stderr) == (1, "")


@pytest.mark.skipif(os.name == "nt", reason="has other signals")
def test_ctrl_c_leaves_no_half_file(tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(300):
        (tmp_path / "photos" / f"{number}.jpg").symlink_to(CAT)
    command = [sys.executable, "-m", "cli", "gradcam", tmp_path / "photos", *ROSE, "-o", tmp_path / "out"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    first = running.stdout.readline()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.strip() == "Error: interrupted"
    said = {Path(line) for line in (first + out).splitlines()}
    made = set((tmp_path / "out").iterdir())
    # What the threads had begun by then is whole.
    assert said <= made and len(made) <= len(said) + 6 < 300
    assert all(path.suffix == ".png" and pictures.read(path) is not None for path in made)


@pytest.mark.skipif(shutil.which("script") is None, reason="needs a terminal")
def test_notes_and_paths_are_lines_of_their_own_beside_the_progress_bar(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.jpg").symlink_to(CAT)
    (tmp_path / "4.jpg").touch()
    words = f"gradcam {tmp_path} {' '.join(TINY)} -o {tmp_path / 'out'}"
    command = f"stty cols 100 rows 30 && '{sys.executable}' -m cli {words}"
    run = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True, cwd=REPOSITORY)
    assert run.returncode == 1
    assert b"0/5" in run.stdout
    lines = run.stdout.decode().replace("\r\n", "\n").split("\n")
    shown = [line.rpartition("\r")[2] for line in lines]  # what a carriage return leaves to be seen
    assert sum(line.startswith(str(tmp_path / "out")) for line in shown) == 4
    assert sum(line.startswith("Error: ") for line in shown) == 1
    assert not any("picture/s" in line for line in shown)


@pytest.mark.parametrize(("path", "command"), REQUIRED, ids=[path for path, _ in REQUIRED])
def test_what_is_required_is_asked_for(path, command):
    run = interp(
        *path.split(), *["x" for given in command.params if isinstance(given, click.Argument) and given.required]
    )
    assert run.status == 2 and run.err.startswith("Error: Missing option") and run.err.count("\n") == 1


@pytest.mark.parametrize(
    "words", ["predict", "gradcam", "attack fgsm", "grid --methods saliency", "visualize 1 --steps 1"]
)
def test_a_network_for_one_size_of_pictures_says_so(words):
    word = [] if words.startswith("visualize") else ["sample:cat"]
    run = interp(*words.split(), *word, "-m", "tests.brought:tiny_vit", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5")
    assert run.status in (1, 2) and run.err.count("\n") == 1
    assert "the network does not take pictures of" in run.err and "--input-size" in run.err and "-vv" not in run.err
