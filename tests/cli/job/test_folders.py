"""A folder through an explainer: in batches, with threads, over processes, and the same whatever their number."""

import json
import os
import re
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret.datasets.folders import SUFFIXES
from interpret.explainers import EXPLAINERS, OF_ATTENTION
from tests.cli.flower_networks import passes
from tests.command import CAT, REPOSITORY, TINY, interp
from tests.processes import pair

ATTENDING = ("-m", "tests.cli.flower_networks:attending")
SIZES = ((40, 40), (64, 40), (33, 50), (90, 60), (40, 41), (120, 35), (36, 36))
FEW = {
    "rise": ("--masks", 5),
    "kernel-shap": ("--samples", 5),
    "gradient-shap": ("--samples", 2),
    "occlusion": ("--stride", 16),
}


@pytest.fixture
def folder() -> Path:
    """Pictures of different sizes, one of them no picture, in the current folder."""
    place = Path("in")
    place.mkdir()
    draw = np.random.default_rng(0)
    for number, (width, height) in enumerate(SIZES):
        coarse = Image.fromarray(draw.integers(0, 255, (4, 5, 3), dtype=np.uint8))
        coarse.resize((width, height), Image.Resampling.BICUBIC).save(place / f"{number}.png")
    (place / "3x.png").write_bytes(b"no picture")
    return place


def pixels(folder: str | Path) -> dict[str, np.ndarray]:
    found = {}
    for path in sorted(Path(folder).rglob("*.png")):
        with Image.open(path) as picture:
            found[path.name] = np.asarray(picture).astype(int)
    return found


@pytest.mark.parametrize("method", [name.replace("_", "-") for name in EXPLAINERS])
def test_neither_batches_nor_threads_change_a_picture(folder, method):
    few = FEW.get(method, ())
    network = ATTENDING if method.replace("-", "_") in OF_ATTENTION else TINY
    alone = interp(method, folder, *network, *few, "--batch-size", 1, "--workers", 1, "-o", "alone")
    several = interp(method, folder, *network, *few, "--batch-size", 3, "--workers", 4, "-o", "several")
    threads = interp(method, folder, *network, *few, "--batch-size", 3, "--workers", 1, "-o", "threads")
    assert alone.status == several.status == 1 and alone.err.count("Error: in/3x.png is empty") == 1
    names = [path.name for path in several.paths]
    assert len(names) == len(SIZES) and names == sorted(names) == [path.name for path in threads.paths]
    expected, found, again = pixels("alone"), pixels("several"), pixels("threads")
    assert list(expected) == list(found) == names
    for name in names:
        assert np.array_equal(found[name], again[name])
        # Sums in another order may end a rounding apart.
        assert np.abs(found[name] - expected[name]).max() <= 1


@pytest.mark.parametrize(
    ("line", "forwards"),
    [
        ("gradcam", 1),
        ("layercam -c rose -c tulip", 1),
        ("saliency", 1),
        ("input-x-gradient -c rose -c poppy --versus daisy", 1),
        ("guided-backprop", 2),
    ],
)
def test_the_pass_that_names_the_class_is_the_one_explained(folder, line, forwards):
    counting = ("-m", "tests.cli.flower_networks:counting")
    interp(line.split()[0], folder, *counting, *line.split()[1:], "-o", "warm")  # the default layer is looked for once
    passes.clear()
    run = interp(line.split()[0], folder, *counting, *line.split()[1:], "--no-clobber", "-o", "out")
    assert len(run.paths) == len(SIZES) * max(1, line.count("-c "))
    # Once for the network: the classes are counted, and a layer is looked for with one picture and with two.
    extra = 1 + 3 * ("cam" in line)
    assert sum(passes) == forwards * len(SIZES) + extra
    passes.clear()
    again = interp(line.split()[0], folder, *counting, *line.split()[1:], "--no-clobber", "-o", "out")
    assert again.paths == run.paths and sum(passes) == len(SIZES) + extra


def test_what_does_not_fit_as_a_batch_is_explained_alone(folder):
    run = interp("gradcam", folder, "-m", "tests.cli.flower_networks:crowded", "-o", "out")
    assert len(run.paths) == len(SIZES)
    assert run.err.count("Error:") == 1 and "3x.png" in run.err


@pytest.mark.parametrize(
    "words",
    ["--versus rose", "-c rose -c tulip --score log-probability", "--top-k 3", "--versus rose --score log-probability"],
)
@pytest.mark.parametrize("method", ["gradcam", "cam", "saliency", "scorecam"])
def test_neither_do_batches_change_what_is_asked(folder, method, words):
    network = TINY
    alone = interp(method, folder, *network, *words.split(), "--batch-size", 1, "-o", "alone", "--raw")
    several = interp(method, folder, *network, *words.split(), "--batch-size", 3, "-o", "several", "--raw")
    assert alone.err == several.err and alone.out.replace("alone", "several") == several.out
    if method == "cam" and "log" in words and "versus" not in words:
        assert alone.status == 2 and "CAM reads a class's weights" in alone.err
        return
    assert len(alone.paths) >= len(SIZES)
    for path in sorted(Path("alone").glob("*.npz")):
        with np.load(path) as one, np.load(Path("several") / path.name) as other:
            np.testing.assert_allclose(other["attribution"], one["attribution"], atol=1e-6)


def test_a_network_that_takes_one_picture_gets_one(folder):
    single = ("-m", "tests.cli.flower_networks:single")
    run, alone = interp("predict", folder, *single), interp("predict", folder, *TINY, "--batch-size", 1)
    assert (run.status, run.out) == (1, alone.out)


def test_large_inputs_go_alone(folder):
    for number in range(3):
        Image.new("RGB", (1600, 1200), "teal").save(folder / f"large{number}.png")
    passes.clear()
    assert len(interp("predict", folder, "-m", "tests.cli.flower_networks:unsized", "--json").out.splitlines()) == 10
    assert passes[-3:] == [1, 1, 1]


def test_what_cannot_be_written_is_one_line_and_the_rest_is_there(folder):
    Path("out/2_gradcam_rose.png").mkdir(parents=True)
    run = interp("gradcam", folder, *TINY, "-c", "rose", "-o", "out/")
    assert run.status == 1 and len(run.paths) == len(SIZES) - 1
    assert "Error: cannot write out/2_gradcam_rose.png" in run.err


def test_one_class_made_otherwise_does_not_hold_up_the_next(folder):
    picture = folder / "0.png"
    interp("gradcam", picture, *TINY, "-c", "rose", "-o", "out/")
    words = ("-c", "rose", "-c", "tulip", "-c", "tulip", "--no-clobber", "--view", "heatmap", "-o", "out/")
    run = interp("gradcam", picture, *TINY, *words)
    assert run.status == 1 and run.err.count("with another display") == 1
    assert [path.name for path in run.paths] == ["0_gradcam_tulip.png"]


def test_classes_and_copies_share_passes_or_keep_none(folder):
    from interpret.explainers import sharing

    kept, share = [], sharing.share

    def watched(*given: object) -> None:
        share(*given)
        kept.append(len(sharing.shared.get() or ()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("interpret.explainers.contract.share", watched)
        interp("gradcam", folder, *TINY, "--top-k", 5, "-o", "out")
        interp("gradcam", folder, *TINY, "--top-k", 5, "--no-clobber", "-o", "out", "--smooth", 5)
    assert max(kept) == 1


@pytest.mark.skipif(os.name == "nt", reason="has other signals")
def test_ctrl_c_while_standard_input_is_waited_for():
    command = [sys.executable, "-m", "cli", "gradcam", "-", *TINY]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(6)  # by now it reads
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 130
    assert running.stderr.read().strip() == "Error: interrupted"
    running.stdin.close()
    running.stderr.close()


def test_predict_takes_batches_too(folder):
    alone = interp("predict", folder, *TINY, "--json", "--batch-size", 1)
    several = interp("predict", folder, *TINY, "--json", "--batch-size", 3)
    crowded = interp("predict", folder, "-m", "tests.cli.flower_networks:crowded", "--json")
    for other in (several, crowded):
        assert other.status == alone.status == 1 and other.err == alone.err and alone.err.count("3x.png") == 1
        rows = [[json.loads(line) for line in run.out.splitlines()] for run in (alone, other)]
        assert len(rows[0]) == len(rows[1]) == len(SIZES)
        for expected, found in zip(*rows, strict=True):
            assert expected["picture"] == found["picture"]
            assert [row["name"] for row in expected["top"]] == [row["name"] for row in found["top"]]


def member(folder: str, lines: str, said: Connection) -> None:
    """One process of two at work on a folder."""
    os.chdir(folder)
    run = interp("gradcam", *TINY, *lines.split())
    said.send((run.status, run.out, run.err))


def test_two_processes_share_a_folder(folder):
    alone = interp("gradcam", folder, *TINY, "-o", "alone", "--batch-size", 1)
    found = []
    for process, said in pair(member, os.getcwd(), "in -o shared --batch-size 1"):
        found.append(said.recv())
        process.join(20)
    (status, first, errors), (other_status, second, other_errors) = found
    assert (status, other_status) == (1, 0)  # the first, once all are done: torchrun ends the others
    assert first.splitlines() and second.splitlines()
    assert sorted((first + second).replace("shared", "alone").splitlines()) == sorted(alone.out.splitlines())
    assert len(re.findall("Error:", errors + other_errors)) == 1
    expected, shared = pixels("alone"), pixels("shared")
    assert list(expected) == list(shared)
    assert all(np.array_equal(expected[name], shared[name]) for name in expected)


def test_a_shared_scale_wants_one_process():
    for process, said in pair(member, str(REPOSITORY / "samples"), "sample:cat --scale shared"):
        status, out, errors = said.recv()
        process.join(20)
        assert (status, out) == (2, "") and "run it in one process" in errors


def test_a_folder_takes_whatever_can_be_read():
    Image.init()
    recognised = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}  # and not decoded, or by another program
    read = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    read -= {suffix for suffix, kind in Image.registered_extensions().items() if kind in recognised}
    assert read <= SUFFIXES <= read | {".heic", ".heif", ".hif", ".avif", ".avifs"}


def test_a_folder_says_what_it_leaves_out_and_what_became_of_the_rest(tmp_path):
    for name in ("a.JFIF", "b.tga", "c.pbm", "d.ico", "notes.txt", "film.mp4", "README"):
        Image.new("RGB", (20, 20)).save(tmp_path / "plain.png")
        kind = {".JFIF": "JPEG", ".tga": "TGA", ".pbm": "PPM", ".ico": "ICO"}.get(Path(name).suffix, "PNG")
        Image.new("1" if kind == "PPM" else "RGB", (20, 20)).save(tmp_path / name, kind)
    run = interp("saliency", ".", *TINY, "-o", ".")
    assert run.status == 0 and len(run.paths) == 5
    assert ".: 3 files that are no pictures are left out (.mp4, .txt, without suffix)\n" in run.err
    assert run.err.endswith("5 written, 0 skipped, 0 failed\n")
    again = interp("saliency", ".", *TINY, "-o", ".", "--no-clobber")
    assert again.err.count("results of earlier runs are left out") == 1
    assert again.status == 0 and again.err.endswith("0 written, 5 skipped, 0 failed\n")
    (tmp_path / "broken.png").touch()
    third = interp("saliency", ".", *TINY, "-o", ".", "--no-clobber")
    assert third.status == 1 and third.err.endswith("0 written, 5 skipped, 1 failed\n")
    assert "left out" not in interp("saliency", ".", *TINY, "-o", ".", "-q").err


def test_a_folder_of_results_alone_is_meant(tmp_path):
    made = interp("attack", "fgsm", CAT, "--no-figure", *TINY, "-o", "fooled/")
    assert interp("predict", "fooled", *TINY).out.splitlines()[0] == str(made.paths[0])


def test_an_empty_name_is_no_picture():
    for word in ("", " "):
        run = interp("gradcam", word, *TINY)
        assert run.status == 2 and "an empty name is no picture" in run.err
