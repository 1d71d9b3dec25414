"""Thousands of odd command lines: each ends with a documented status and, where it fails, in words for the user."""

import random
import re
import signal
import warnings
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from tests.command import TINY, all_commands, interp

CALLS = 2600
SEED = 18
LONGEST = 60  # seconds of one call
COMMANDS = dict(all_commands())
ELSEWHERE = ("doctor", "completion", "models")  # which take nothing that could be odd, or take long
ODD = [
    "-1",
    "0",
    "1",
    "2",
    "0.5",
    "nan",
    "inf",
    "-inf",
    "1e9",
    "9" * 400,
    "abc",
    "",
    " ",
    "1,2",
    "8/255",
    "3x4",
    "٣",
    "²",
]
WORDS = [
    "",
    " ",
    "\x1b[31m",
    "$",
    "rose",
    "conv1",
    "conv2",
    "relu1",
    "layer:0",
    "..",
    "/",
    "all",
    "l2",
    "Linf",
    "a" * 300,
]
PLACES = [
    "out",
    "out.png",
    "out.npz",
    "out.svg",
    "out.txt",
    "out.html",
    "file.txt",
    "file.txt/x",
    "",
    "-",
    "new/deep/x.png",
]
PICTURES = [
    "a.png",
    "grey.png",
    "tiny.png",
    "wide.png",
    "broken.png",
    "file.txt",
    "empty",
    "photos",
    "nothing.png",
    "a.*",
]
# What would take long, made short; each is put in front, so that an odd value may still follow.
CHEAP = {
    "steps": "2",
    "queries": "3",
    "population": "4",
    "samples": "2",
    "masks": "3",
    "pieces": "4",
    "searches": "1",
    "epochs": "1",
    "budget": "30",
    "octaves": "1",
    "depths": "1",
    "limit": "2",
    "pixels": "2",
    "restarts": "1",
    "size": "16",
    "methods": "saliency",
    "attack": None,
    "sanity": None,
    "figure": None,
}


@pytest.fixture
def odd_files(tmp_path):
    """Pictures, and what is none, in the current folder; some in a folder of labelled ones."""
    noise = np.random.default_rng(SEED).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(noise).save("a.png")
    Image.fromarray(noise[..., 0]).save("grey.png")
    Image.fromarray(noise[:1, :1]).save("tiny.png")
    Image.fromarray(noise[:3].repeat(20, 1)).save("wide.png")
    Path("broken.png").write_bytes(Path("a.png").read_bytes()[:600])
    Path("file.txt").write_text("no picture\n")
    Path("empty").mkdir()
    for number, name in enumerate(("rose", "tulip")):
        (Path("photos") / name).mkdir(parents=True)
        Image.fromarray(noise[number:]).save(Path("photos") / name / "1.png")


def odd_line(draw: random.Random) -> list[str]:
    """A command with arguments and some options, most of them of the right kind and with odd values."""
    path = draw.choice([name for name in COMMANDS if name not in ELSEWHERE])
    words, command = path.split(), COMMANDS[path]
    options = [option for option in command.params if isinstance(option, click.Option) and option.name != "device"]
    if any(option.name == "model" for option in options):
        words += TINY if draw.random() < 0.95 else ["-m", draw.choice(WORDS)]
    for option in options:
        if option.name in CHEAP:
            off = f"--no-{option.name}"
            value = CHEAP[option.name]
            words += [option.opts[0], value] if value and not option.is_flag else [off] * (off in option.secondary_opts)
        elif option.required and draw.random() < 0.9:
            words += [option.opts[0], draw.choice(["conv1", "0", "1"])]
    chosen = draw.sample(options, min(draw.choice([0, 1, 1, 2, 3]), len(options)))
    for option in chosen:
        if option.name not in ("model", "config", "resume"):
            words += _with_value(option, draw)
    for argument in command.params:
        if isinstance(argument, click.Argument):
            words += _arguments(path, argument, draw)
    return words


def _with_value(option: click.Option, draw: random.Random) -> list[str]:
    flag = draw.choice([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return [flag]
    if isinstance(option.type, click.Choice) and draw.random() < 0.7:
        return [flag, draw.choice([str(choice) for choice in option.type.choices])]
    if isinstance(option.type, click.Path):
        return [flag, draw.choice(PLACES)]
    numeric = type(option.type).__name__ in ("Number", "Radius", "Size", "CommaList")
    return [flag, draw.choice(ODD if numeric else WORDS + ODD)]


def _arguments(path: str, argument: click.Argument, draw: random.Random) -> list[str]:
    if path == "train":
        return [draw.choice(["digits", "photos", "nothing", "file.txt"])]
    if path.startswith("evaluate") and argument.name == "data":
        return [draw.choice(["photos", "photos", "empty", "a.png"])]
    if path == "visualize":
        return [draw.choice([*WORDS, "conv1:0", "conv1:999", "conv1:-1", "rose - tulip", "_:1-5", "9" * 400])]
    count = 1 if argument.nargs == 1 else draw.choice([0, 1, 1, 1, 2])
    return [draw.choice(PICTURES) if draw.random() < 0.3 else "a.png" for _ in range(count)]


def wrong_with(run, words) -> str | None:
    """What a run should not have done; None where all is well."""
    line = " ".join(words)[:300]
    if run.status not in (0, 1, 2, 3):
        return f"status {run.status}: {line}"
    if "run again with -vv" in run.err or re.search(r"^Traceback", run.err, re.MULTILINE):
        return f"unclassified: {line}\n    {run.err.strip().splitlines()[-1][:300]}"
    said = run.err.strip().splitlines()
    if run.status == 2 and (not said or not said[-1].startswith("Error: ") or run.out):
        return f"not one line: {line}\n    {run.err[:300]!r} {run.out[:100]!r}"
    if run.status == 0 and "Error: " in run.err:
        return f"an error and status 0: {line}\n    {run.err[:300]!r}"
    return None


@pytest.fixture
def brief_page(monkeypatch):
    """`interp app` starts its server and ends it, rather than wait for the user."""
    uvicorn = pytest.importorskip("uvicorn")

    async def no_loop(self):
        pass

    monkeypatch.setattr(uvicorn.Server, "main_loop", no_loop)


def _hangs(*_):
    raise TimeoutError("it takes too long")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs alarms")
def test_no_line_ends_in_an_unclassified_error(odd_files, brief_page):
    draw, problems, statuses = random.Random(SEED), [], {}
    signal.signal(signal.SIGALRM, _hangs)
    for _ in range(CALLS):
        words = odd_line(draw)
        signal.alarm(LONGEST)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # in the shell they are lines of their own
                run = interp(*words)
        finally:
            signal.alarm(0)
        statuses[run.status] = statuses.get(run.status, 0) + 1
        problem = wrong_with(run, words)
        problems += [problem] if problem else []
    print(f"{CALLS} calls: {statuses}")
    assert not problems, f"{len(problems)} of {CALLS}:\n" + "\n".join(problems)
