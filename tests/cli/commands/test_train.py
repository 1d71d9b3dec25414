"""`interp train`: every defense through the command, and what becomes of a run that ends early."""

import csv
import functools
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

import interpret
from attacks.training import DEFENSES, schedules
from interpret.datasets import DATASETS
from interpret.datasets.named import open_dataset
from interpret.models.architectures import NETWORKS
from interpret.models.saved import read_trained, save_trained
from tests.command import REPOSITORY, interp, stored

QUICK = ("--threads", 1, "--network", "linear", "--epochs", 2, "--limit", 40, "-q")
FULL = ("--threads", 1, "--network", "mlp", "--eps", 0.17, "--epochs", 10, "--batch-size", 64)
SEVERAL = {
    "pgd": ("--steps", 4),
    "trades": ("--steps", 4),
    "mart": ("--steps", 4),
    "free": ("--replays", 3, "--epochs", 6),
}


USUAL = ("none", "fast", "pgd")  # in every run of the tests; the others take half a minute
EACH = [name if name in USUAL else pytest.param(name, marks=pytest.mark.slow) for name in DEFENSES]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """From the name of a defense to its folder and the rows of its table, on the bundled digits."""
    folder = tmp_path_factory.mktemp("runs")

    @functools.cache
    def run(name):
        given = ("--defense", name, *SEVERAL.get(name, ()), "-o", folder / name, "--json", "-q")
        ran = interp("train", "digits", *FULL, *given)
        assert ran.status == 0, ran.err
        return folder / name, {row["checkpoint"]: row for row in map(json.loads, ran.out.splitlines())}

    return run


@pytest.mark.parametrize("name", [each for each in EACH if each != "none"])
def test_every_defense_makes_a_network_hard_to_fool(trained, name):
    # Without a defense, the best epoch is the one that happens to withstand the most.
    plain, hardened = trained("none")[1]["last"], trained(name)[1]["best"]
    assert hardened["pgd50"]["share"] >= plain["pgd50"]["share"] + 0.3
    assert hardened["clean"]["share"] > 0.8


@pytest.mark.parametrize("name", EACH)
def test_the_table_tells_best_and_last_with_intervals(trained, name):
    folder, rows = trained(name)
    assert list(rows) == ["best", "last"]
    for kind, row in rows.items():
        assert row["path"] == str(folder / f"{kind}.pt")
        assert (row["pictures"], row["count"], row["eps"], row["defense"]) == ("test", 360, 0.17, name)
        assert row["pgd50"]["share"] <= row["clean"]["share"]
        assert all(
            row[attack]["low"] < row[attack]["share"] < row[attack]["high"]
            for attack in ("clean", "fgsm", "pgd50")
            if 0 < row[attack]["share"] < 1
        )
    assert rows["last"]["epoch"] == (6 if name == "free" else 10)


def test_every_epoch_stands_in_a_table_and_in_a_picture(trained):
    folder, rows = trained("pgd")
    with (folder / "metrics.csv").open() as file:
        epochs = list(csv.DictReader(file))
    assert [row["epoch"] for row in epochs] == [str(number) for number in range(1, 11)]
    assert max(epochs, key=lambda row: (float(row["pgd"]), int(row["epoch"])))["epoch"] == str(rows["best"]["epoch"])
    with Image.open(folder / "curves.png") as picture:
        assert np.asarray(picture).std() > 10
    assert stored(folder / "curves.png")["settings"]["defense"] == "pgd"


def test_what_is_trained_serves_every_other_command(tmp_path):
    ran = interp("train", "digits", "--threads", 1, "--network", "cnn", "--epochs", 2, "--limit", 40, "-q", "-o", "run")
    assert ran.status == 0, ran.err
    assert "best" in ran.out and ran.out.splitlines()[-4:] == [
        f"run/{name}" for name in ("best.pt", "last.pt", "metrics.csv", "curves.png")
    ]
    images, labels = open_dataset("digits", train=False).batch(torch.arange(30))
    classifier = interpret.load("run/best.pt")
    assert list(classifier.labels) == [str(digit) for digit in range(10)]
    assert (classifier(images).argmax(1) == labels).float().mean() > 0.6
    right = int((classifier(images).argmax(1) == labels).nonzero()[0])
    # As a file it is in colour, and larger than what the network was trained on.
    digit = (images[right, 0] * 255).round().byte().numpy().repeat(4, 0).repeat(4, 1)
    Image.fromarray(digit).save("digit.png")
    seen = interp("predict", "digit.png", "-m", "run/best.pt", "--json")
    assert json.loads(seen.out)["top"][0]["name"] == str(int(labels[right]))
    told = interp("gradcam", "digit.png", "-m", "run/best.pt", "-c", str(int(labels[right])))
    assert told.status == 0, told.err
    assert told.paths[0].exists()
    assert not list(tmp_path.rglob("*.tmp"))


def test_preprocessing_is_that_of_the_training_pictures_alone(trained):
    recipe = read_trained(trained("fast")[0] / "last.pt")[0]
    known = open_dataset("digits", train=True)
    images = known.batch(torch.arange(len(known)))[0]
    assert recipe.mean == pytest.approx([float(images.mean())], rel=0.02)
    assert recipe.std == pytest.approx([float(images.std())], rel=0.02)
    assert recipe.mean != pytest.approx([float(images.mean())], rel=1e-9)  # some are set aside


def test_trained_weights_are_taken_up(trained, tmp_path):
    start = trained("none")[0] / "best.pt"
    gently = ("--epochs", 1, "--learning-rate", 1e-6, "--threads", 1, "--limit", 40, "-q")
    ran = interp("train", "digits", "--from", start, *gently, "-o", tmp_path / "run")
    assert ran.status == 0, ran.err
    before, after = read_trained(start), read_trained(tmp_path / "run" / "last.pt")
    assert after[0].mean == pytest.approx(before[0].mean) and after[0].network == "mlp"
    assert all(torch.allclose(before[1][name], after[1][name], atol=1e-3) for name in before[1])


def test_a_folder_of_colour_pictures_is_shifted_and_mirrored(tmp_path):
    for name, level in {"dark": 60, "light": 180}.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(8):
            Image.new("RGB", (12, 10), (level, level, number)).save(tmp_path / "photos" / name / f"{number}.png")
    line = ("train", tmp_path / "photos", "-o", tmp_path / "run", *QUICK)
    ran = interp(*line)
    assert ran.status == 0, ran.err
    assert "2 validation pictures, as there are none to test on, eps 8/255" in ran.out
    recipe, _, more = read_trained(tmp_path / "run" / "last.pt")
    assert more["asked"]["augment"] is True
    assert (recipe.labels, recipe.size, recipe.channels) == (("dark", "light"), (10, 12), 3)
    again = interp(*line, "--resume", "--no-augment")
    assert "begun with other --augment; go on with the same" in again.err


def test_a_run_that_goes_on_ends_as_if_never_interrupted(tmp_path):
    given = ("train", "digits", "--defense", "pgd", "--steps", 2, "--average", 0.9, *QUICK[:4], "--epochs", 3, "-q")
    assert interp(*given, "--limit", 40, "-o", tmp_path / "whole").status == 0
    from attacks.training import loop

    saved = []
    before = loop._save

    def die(path, run, save):
        before(path, run, save)
        saved.append(path)
        if path.name == "last.pt":
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_save", die)
        stopped = interp(*given, "--limit", 40, "-o", tmp_path / "parts")
    assert (stopped.status, stopped.out) == (130, "")
    assert f"the same command with --resume goes on from {tmp_path / 'parts' / 'last.pt'}" in stopped.err
    assert (tmp_path / "parts" / "metrics.csv").read_text().count("\n") == 2
    in_the_way = interp(*given, "-o", tmp_path / "parts")
    assert in_the_way.status == 2 and "is there already; go on with --resume" in in_the_way.err
    gone_on = interp(*given, "--limit", 40, "-o", tmp_path / "parts", "--resume")
    assert gone_on.status == 0, gone_on.err
    whole, parts = (read_trained(tmp_path / name / "last.pt")[1] for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


MISTAKES = {
    "data": (["digts"], "no data set, folder or .npz file 'digts'; did you mean 'digits'?"),
    "defense": (["digits", "--defense", "fasst"], "'fasst' is not one of"),
    "option": (["digits", "--steps", 5], "fast has no --steps; the options of its own are --step-size"),
    "options": (["digits", "--defense", "none", "--beta", 5], "none has no --beta; the options of its own are none"),
    "radius": (["digits", "--eps", 8], "an eps of 8 is no bound; did you mean 8/255?"),
    "network": (["digits", "--network", "lennet"], "no network 'lennet' to train; did you mean 'lenet'"),
    "two networks": (["digits", "--network", "cnn", "--from", "resnet18"], "give --network, with fresh weights"),
    "code": (["digits", "--from", "tests.command:flowers"], "not code: tests.command:flowers"),
    "nothing begun": (["digits", "--resume"], "to go on from; leave out --resume to begin"),
    "size": (["digits", "--network", "lenet", "--size", 3], "lenet cannot take 1 channels of 3 x 3 pixels"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_end_in_one_line(name, tmp_path):
    arguments, line = MISTAKES[name]
    ran = interp("train", *arguments, "-o", tmp_path / "run")
    assert ran.status == 2
    assert line in ran.err
    assert ran.err.count("\n") == 1 and not ran.out
    assert not (tmp_path / "run").exists()


def test_another_network_is_not_gone_on_with(trained):
    folder, _ = trained("fast")
    before = (folder / "last.pt").read_bytes()
    ran = interp("train", "digits", *FULL[2:], "--network", "linear", "-o", folder, "--resume")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "was begun with other network or pictures" in ran.err
    assert (folder / "last.pt").read_bytes() == before


@pytest.mark.parametrize("kind", ["empty", "text", "foreign", "cut", "untrained"])
def test_what_is_no_checkpoint_is_refused_and_left(trained, tmp_path, kind):
    whole, last = trained("fast")[0] / "last.pt", tmp_path / "last.pt"
    if kind == "foreign":
        torch.save({"state": {"fc.weight": torch.zeros(2)}}, last)
    elif kind == "untrained":
        recipe, weights, more = read_trained(whole)
        save_trained(last, weights, recipe, asked=more["asked"])
    else:
        last.write_bytes({"empty": b"", "text": b"hello", "cut": whole.read_bytes()[:-100]}[kind])
    before = last.read_bytes()
    ran = interp("train", "digits", *FULL, "-o", tmp_path, "--resume")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "no checkpoint of a training run; it is left as it is" in ran.err
    assert last.read_bytes() == before and list(tmp_path.iterdir()) == [last]


def test_a_log_without_its_package_is_refused(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    ran = interp("train", "digits", *QUICK, "-o", tmp_path / "run", "--log", "tensorboard")
    assert ran.err == "Error: --log tensorboard needs the package tensorboard: pip install 'interp[tensorboard]'\n"


def test_every_epoch_is_logged_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    line = ("train", "digits", *QUICK, "-o", tmp_path / "run", "--log", "tensorboard")
    assert interp(*line).status == 0
    log = EventAccumulator(str(tmp_path / "run" / "tensorboard"), {"images": 0}).Reload()
    shown = {name: log.Images(name) for name in ("clean", "adversarial", "saliency")}
    assert {tuple(event.step for event in events) for events in shown.values()} == {(1, 2)}
    clean, adversarial, saliency = ([event.encoded_image_string for event in events] for events in shown.values())
    assert clean[0] == clean[1] and adversarial[0] not in (clean[0], adversarial[1]) and saliency[0] != saliency[1]
    assert sorted(log.Tags()["scalars"]) == ["clean", "fgsm", "loss", "pgd", "rate"]
    with (tmp_path / "run" / "metrics.csv").open() as file:
        epochs = list(csv.DictReader(file))
    for name in ("clean", "fgsm", "pgd", "loss", "rate"):
        logged = {event.step: event.value for event in log.Scalars(name)}
        assert logged == pytest.approx({int(row["epoch"]): float(row[name]) for row in epochs}, rel=1e-6)
    assert len(epochs) == 2


def test_the_command_offers_what_the_tables_hold():
    command = importlib.import_module("cli.commands.train.choices")
    assert command.OPTIMIZERS == tuple(schedules.OPTIMIZERS)
    assert command.SCHEDULES == tuple(schedules.SCHEDULES)
    assert command.DATASETS == DATASETS
    told = interp("train", "--help").out
    assert all(name in told for name in (*NETWORKS, *DEFENSES))


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_with_a_message(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "PYTHONPATH": str(REPOSITORY)}
    line = [sys.executable, "-m", "cli", "train", "digits", *map(str, QUICK[:4]), "--epochs", "100000"]
    running = [
        subprocess.Popen(
            [*line, "-o", str(tmp_path / "run")],
            env={**os.environ, **place, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        while not (tmp_path / "run" / "last.pt").exists() and running[0].poll() is None:
            time.sleep(0.1)
        running[1].send_signal(signal.SIGKILL)
        said = running[0].communicate(timeout=60)[1]
    finally:
        for one in running:
            one.kill()
            one.communicate()
    assert running[0].returncode not in (0, None)
    assert (
        "Error: a process of the run has failed, and the others cannot go on; --resume or --no-clobber goes on" in said
    )
