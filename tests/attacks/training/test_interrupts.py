"""A run that is killed or stopped, and goes on, ends with the same weights as one that never was."""

import contextlib
import os
import random
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch

from attacks.training.events import BatchDone, EpochDone, Trouble
from tests import processes
from tests.attacks.training.tiny_training import Bars, run_of, trained
from tests.processes import Running

# What is hard to resume exactly: batch norm and dropout (in all), an average, a carried perturbation, random starts.
KINDS = {
    "free": {"defense": "free", "average": 0.9, "options": {"replays": 2}},
    "trades": {
        "defense": "trades",
        "weight_perturbation": 0.01,
        "optimizer": "momentum",
        "warm_up": 1.0,
        "options": {"steps": 3},
    },
}
CHOICES = {"epochs": 4, "batch_size": 8, "learning_rate": 0.01, "patience": 50}


def member(folder: str, choices: dict, resume: bool, said: Connection) -> None:
    """A process that trains and says so after every batch; a blow meets it some time after a word of it."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def watch(event: BatchDone | EpochDone | Trouble) -> None:
        said.send((event.epoch, event.batch) if isinstance(event, BatchDone) else event.row["epoch"])
        time.sleep(0.01)  # on a quick machine an epoch would be over before the blow falls

    try:
        trained(run_of(**choices), Bars(80), Bars(40, seed=1), Path(folder), resume=resume, watch=watch)
    except KeyboardInterrupt:
        os._exit(130)


def begin(folder: Path, choices: dict, resume: bool) -> Running:
    """A process that trains, and what it says."""
    return processes.begin(member, str(folder), choices, resume)


def strike(running: Running, words: int, how: int) -> int:
    """End it after so many words, somewhere within what comes then."""
    process, said = running
    for _ in range(words):
        said.recv()
    time.sleep(random.random() * 0.02)
    os.kill(process.pid, how)
    process.join(60)
    return process.exitcode


def finish(running: Running) -> list:
    """All that it says until it is done."""
    process, said = running
    words = []
    with contextlib.suppress(EOFError):
        while True:
            words.append(said.recv())
    process.join(60)
    assert process.exitcode == 0
    return words


def final(folder: Path) -> dict[str, torch.Tensor]:
    """All the tensors of the last checkpoint, by name."""
    content = torch.load(folder / "last.pt", weights_only=True)
    assert content["training"]["epoch"] == CHOICES["epochs"]
    return {**content["state"], **{f"now {k}": v for k, v in content["training"]["now"]["network"].items()}}


def uninterrupted(folder: Path, choices: dict) -> dict[str, torch.Tensor]:
    """The weights of a run that nobody disturbed."""
    finish(begin(folder, choices, False))
    return final(folder)


@pytest.mark.parametrize("kind", [pytest.param("free", marks=pytest.mark.slow), "trades"])
def test_a_killed_run_ends_as_if_it_never_was(tmp_path, kind):
    choices = {**CHOICES, **KINDS[kind]}
    expected = uninterrupted(tmp_path / "whole", choices)
    folder, resume = tmp_path / "killed", False
    # A word for each of ten batches and one for the epoch: within the first, or later ones, or as a file is written.
    for words in (random.randint(1, 8), random.randint(11, 20), random.randint(11, 12)):
        assert strike(begin(folder, choices, resume), words, signal.SIGKILL) == -signal.SIGKILL
        resume = (folder / "last.pt").exists()
    finish(begin(folder, choices, resume))
    found = final(folder)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("kind", ["free", pytest.param("trades", marks=pytest.mark.slow)])
def test_ctrl_c_saves_the_middle_of_an_epoch(tmp_path, kind):
    choices = {**CHOICES, **KINDS[kind]}
    expected = uninterrupted(tmp_path / "whole", choices)
    folder = tmp_path / "stopped"
    assert strike(begin(folder, choices, False), 14, signal.SIGINT) == 130
    training = torch.load(folder / "last.pt", weights_only=True)["training"]
    assert training["epoch"] == 1 and 3 <= training["batch"] < 10
    assert finish(begin(folder, choices, True))[0] == (1, training["batch"] + 1)
    found = final(folder)
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
