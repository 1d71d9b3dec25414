"""Several processes train one network, and one that dies takes the others along."""

import multiprocessing
import os
import re
import signal
import socket
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch

from attacks import AttackError
from attacks.training import distributed
from attacks.training.loop import train
from tests.tiny_training import PROCESSES, Bars, run_of

CHOICES = {"defense": "fgsm", "epochs": 3, "batch_size": 12, "learning_rate": 0.02}


def member(rank: int, port: int, folder: str, choices: dict, said: Connection) -> None:
    """One process of two, which says what it sees."""
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), "WORLD_SIZE": "2"}
    try:
        distributed.join()
        run = run_of(**choices)
        history = train(run, Bars(240), Bars(101, seed=99), Path(folder), watch=lambda kind, _: said.send(kind))
        said.send((history, {name: value.tolist() for name, value in run.network.state_dict().items()}))
    except AttackError as error:
        said.send(str(error))
        os._exit(1)  # as a script that ends would, but without waiting for the dead
    finally:
        distributed.leave()


def pair(folder: Path, choices: dict) -> list[tuple[multiprocessing.Process, Connection]]:
    """Two processes that train together, and what they say."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = []
    for rank in range(2):
        ours, theirs = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=member, args=(rank, port, str(folder), choices, theirs), daemon=True)
        process.start()
        theirs.close()
        found.append((process, ours))
    return found


def result(said: Connection) -> object:
    """What comes after all the events."""
    while isinstance(found := said.recv(), str) and found in ("batch", "epoch", "trouble"):
        pass
    return found


def test_two_processes_train_what_one_does(tmp_path):
    alone = train(run_of(**CHOICES), Bars(240), Bars(101, seed=99), tmp_path / "one")
    members = pair(tmp_path / "two", CHOICES)
    found = [result(said) for _, said in members]
    for process, _ in members:
        process.join(10)
        assert process.exitcode == 0
    (history, weights), (other_history, other_weights) = found
    assert weights == other_weights  # the gradients are summed, the running means averaged
    for epoch, other in zip(history, other_history, strict=True):
        assert epoch["clean"] == other["clean"] and epoch["pgd"] == other["pgd"]
    for score in ("clean", "pgd"):
        assert abs(history[-1][score] - alone[-1][score]) < 0.1
    assert history[-1]["pgd"] > 0.8
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["best.pt", "last.pt"]
    training = torch.load(tmp_path / "two" / "last.pt", weights_only=True)["training"]
    assert len(training["random"]) == 2
    with pytest.raises(AttackError, match="begun by 2 processes"):
        train(run_of(**CHOICES), Bars(240), Bars(101, seed=99), tmp_path / "two", resume=True)


def test_a_process_that_dies_ends_the_run(tmp_path):
    (first, heard), (second, _) = pair(tmp_path, {**CHOICES, "epochs": 1000})
    assert heard.recv() == "batch"
    began = time.monotonic()
    os.kill(second.pid, signal.SIGKILL)
    message = result(heard)
    first.join(20)
    assert first.exitcode == 1 and time.monotonic() - began < 20
    assert re.match("a process of the run has failed, and the others cannot go on; --resume does", message)
    assert "\n" not in message
