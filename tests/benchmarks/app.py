"""How long the page of `interp app` lets one wait, with the default network.

    python -m tests.benchmarks.app [--rounds 9] [--threads 2]

Seconds on the wall, by requests to the server as a browser makes them; other work on the machine counts. Warm means
that each kind of request was made once before, of another picture.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest

from cli.commands.page.server import page_files
from tests.benchmarks.support.measure import middle
from tests.benchmarks.support.table import Asked, Row, alone
from tests.cli.page.site import Site, served

LAYER = "_blocks.9"
REST = 1.5  # seconds, in which the server ends what nobody waits for


def rows(asked: Asked) -> Iterator[Row]:
    """The page's own numbers to hold."""
    yield Row("the page", (sum(len(content) for content, _ in page_files().values()) / 1000, 0.0), 150, "kB")
    yield starting(min(asked.rounds, 5))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("XDG_CACHE_HOME", folder)
        with served(patch, "--threads", str(asked.threads)) as site:
            yield seconds("from a drop to its first map", dropping(site, asked), asked.rounds, 1.0)
            yield seconds("the slider, once attacked", sliding(site), asked.rounds, 0.05)
            yield seconds("a unit's page, with the index", opening(site), asked.rounds, 0.3)


def seconds(what: str, run: Callable[[int], None], rounds: int, bound: float) -> Row:
    """The median over rounds, each at a server that has come to rest; the first is not counted."""
    found = []
    for turn in range(rounds + 1):
        time.sleep(REST)
        begun = time.perf_counter()
        run(turn)
        found.append(time.perf_counter() - begun)
    return Row(what, middle(found[1:]), bound, "s", remark=f"at most {max(found[1:]):.3f} s")


def dropping(site: Site, asked: Asked) -> Callable[[int], None]:
    """Drop one photo after another, each new to the page."""
    contents = [file.read_bytes() for file in asked.files()]

    def run(turn: int) -> None:
        content = contents[turn % len(contents)]
        dropped = site.ask("/drop", method="POST", body=content, x_name=f"photo-{turn}.jpg")
        found = site.first("map", "look", picture=json.loads(dropped.body)["id"], methods="gradcam")
        assert site.ask(found["file"]).status == 200

    return run


def sliding(site: Site) -> Callable[[int], None]:
    """Move between sizes that were attacked before."""
    levels = ("1", "2", "3")
    asked = {"picture": site.id("sample:koala"), "attack": "fgsm"}
    for level in levels:
        site.work("fool", level=level, **asked)

    def run(turn: int) -> None:
        found = site.first("level", "fool", level=levels[turn % 3], **asked)
        assert site.ask(found["file"]).status == 200

    return run


def opening(site: Site) -> Callable[[int], None]:
    """Open one unit after another, each new to the page."""
    asked = {"picture": site.id("sample:koala"), "layer": LAYER}
    site.work("unit", channel="0", **asked)

    def run(turn: int) -> None:
        assert site.first("crops", "unit", channel=str(turn + 1), **asked)["crops"]

    return run


def starting(rounds: int) -> Row:
    """From the shell to a page that answers, less what importing torch takes."""
    imports = [timed([sys.executable, "-c", "import torch; print()"]) for _ in range(rounds + 1)][1:]
    words = [sys.executable, "-m", "cli", "app", "--no-open", "-q"]
    starts = [timed(words) for _ in range(rounds + 1)][1:]
    remark = f"import torch takes {statistics.median(imports):.2f} s"
    found = [start - other for start, other in zip(starts, imports, strict=True)]
    return Row("its start, after import torch", middle(found), 1.0, "s", remark=remark)


def timed(words: list[str]) -> float:
    """Seconds until a process prints its first line; then it is ended."""
    begun = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ) as process:
        process.stdout.readline()
        spent = time.perf_counter() - begun
        process.terminate()
    return spent


if __name__ == "__main__":
    alone(rows, __doc__)
