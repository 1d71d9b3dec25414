"""Running the command line: inside the test process, where it is quick, or as a process of its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from PIL import Image

from cli.app import main
from cli.commands import app
from interpret import Classifier
from interpret.bundled import samples
from interpret.labels.names import Labels
from tests.tiny import SmallCNN

REPOSITORY = Path(__file__).resolve().parent.parent
FLOWERS = ("rose", "tulip", "daisy", "poppy", "water lily")
TINY = ("-m", "tests.command:flowers")
SQUEEZE = ("-m", "squeezenet1_1")
CAT = samples()["cat"]


@dataclass
class Ran:
    """What a run left behind."""

    status: int
    out: str
    err: str
    raw: bytes  # standard output as it was

    @property
    def paths(self) -> list[Path]:
        """The files that it says it wrote."""
        return [Path(line) for line in self.out.splitlines()]


def interp(*words: object, stdin: bytes = b"") -> Ran:
    """Run the command line in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main([str(word) for word in words])
    finally:
        sys.stdin = before
    raw = out.buffer.getvalue()
    return Ran(status, raw.decode("utf-8", "replace"), err.buffer.getvalue().decode(), raw)


def process(*words: object, python: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess:
    """Run `python -m cli` as a process of its own, from the current folder."""
    path = os.pathsep.join(filter(None, [variables.pop("PYTHONPATH", ""), str(REPOSITORY)]))
    return subprocess.run(
        [sys.executable, *python, "-m", "cli", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, **variables},
    )


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command, those inside groups too, by what is typed."""
    for name, command in app.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", command.commands[inner]) for inner in command.commands)
        else:
            yield name, command


def stored(path: Path | str) -> dict:
    """What a PNG says of how it was made."""
    with Image.open(path) as picture:
        return json.loads(picture.text["interp"])


def flowers(mean: float = 0.5) -> Classifier:
    """A small network that knows five flowers, with something in every picture that speaks for each."""
    torch.manual_seed(0)
    network = SmallCNN()
    network.head.weight.data.abs_()
    return Classifier(network, mean=(mean,) * 3, std=(0.25,) * 3, labels=FLOWERS, input_size=32)


STRANGE = ("cost $5 and $10", "\x1b[31mred\x07", "two\nlines\u2028more\u202e", "w" * 5000, "$\\frac{")


def strange_flowers() -> Classifier:
    """The same network with names that terminals, files and figures stumble over."""
    classifier = flowers()
    classifier.labels = Labels(STRANGE)
    return classifier


def dark_flowers() -> Classifier:
    """The same network, made for darker pictures."""
    return flowers(0.1)


def bare_flowers() -> torch.nn.Module:
    """The same network without its preprocessing."""
    return flowers().network
