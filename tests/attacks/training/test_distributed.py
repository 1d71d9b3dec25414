"""Several processes train one network, and one that dies takes the others along."""

import os
import re
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch

from attacks import AttackError, distributed
from attacks.training.steps import train_epoch
from tests.attacks.training.tiny_training import Bars, run_of, trained
from tests.processes import pair

CHOICES = {"defense": "fgsm", "epochs": 3, "batch_size": 12, "learning_rate": 0.02}


def member(folder: str, choices: dict, said: Connection) -> None:
    """One process of two, which says what it sees."""
    try:
        distributed.join()
        run = run_of(**choices)
        history = trained(
            run, Bars(240), Bars(101, seed=99), Path(folder), watch=lambda event: said.send(type(event).__name__)
        )
        said.send((history, {name: value.tolist() for name, value in run.network.state_dict().items()}))
    except AttackError as error:
        said.send(str(error))
        os._exit(1)  # as a script that ends would, but without waiting for the dead
    finally:
        distributed.leave()


def result(said: Connection) -> object:
    """What comes after all the events."""
    while isinstance(found := said.recv(), str) and found in ("BatchDone", "EpochDone", "Trouble"):
        pass
    return found


@pytest.mark.parametrize("precision", ("float32", pytest.param("fp16", marks=pytest.mark.slow)))
def test_two_processes_train_what_one_does(tmp_path, precision):
    choices = {**CHOICES, "precision": precision}
    alone = trained(run_of(**choices), Bars(240), Bars(101, seed=99), tmp_path / "one")
    members = pair(member, str(tmp_path / "two"), choices)
    found = [result(said) for _, said in members]
    for process, _ in members:
        process.join(60)
        assert process.exitcode == 0
    (history, weights), (other_history, other_weights) = found
    assert weights == other_weights  # the gradients are summed, the running means averaged
    for one, other in zip(history, other_history, strict=True):
        assert one["clean"] == other["clean"] and one["pgd"] == other["pgd"]
    for score in ("clean", "pgd"):
        assert abs(history[-1][score] - alone[-1][score]) < 0.1
    assert history[-1]["pgd"] > 0.8
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["best.pt", "last.pt"]
    training = torch.load(tmp_path / "two" / "last.pt", weights_only=True)["training"]
    assert len(training["random"]) == 2
    with pytest.raises(AttackError, match="begun by 2 processes"):
        trained(run_of(**choices), Bars(240), Bars(101, seed=99), tmp_path / "two", resume=True)


def overflowing(said: Connection) -> None:
    """One process of two, in the second of which gradients overflow."""
    distributed.join()
    run = run_of(defense="none", precision="fp16", epochs=3, batch_size=12, learning_rate=0.02)
    if distributed.rank():
        run.network.fc.weight.register_hook(lambda gradient: gradient + torch.inf)
    before = run.network.fc.weight.tolist()
    next(train_epoch(run, Bars(24), lambda event: None))
    said.send((run.network.fc.weight.tolist() == before, run.scaler.get_scale()))
    distributed.leave()


def test_an_overflow_in_one_process_leaves_out_the_step_of_all():
    members = pair(overflowing)
    assert [said.recv() for _, said in members] == [(True, 2.0**15)] * 2
    for process, _ in members:
        process.join(60)


def test_a_process_that_dies_ends_the_run(tmp_path):
    (first, heard), (second, _) = pair(member, str(tmp_path), {**CHOICES, "epochs": 1000})
    assert heard.recv() == "BatchDone"
    began = time.monotonic()
    os.kill(second.pid, signal.SIGKILL)
    message = result(heard)
    first.join(20)
    assert first.exitcode == 1 and time.monotonic() - began < 20
    assert re.match(
        "a process of the run has failed, and the others cannot go on; --resume or --no-clobber goes on", message
    )
    assert "\n" not in message
