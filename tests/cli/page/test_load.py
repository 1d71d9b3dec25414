"""Eight tabs at once: every answer is right, and memory does not grow with the requests."""

import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.page.site import Site, served
from tests.command import FLOWERS, TINY, interp

TABS, REQUESTS = 8, 200
METHODS = ("gradcam", "saliency", "guided_backprop", "hirescam")
GROWTH = 60  # MB that the second half may take, of threads and of what is kept
KINDS = ("map", "map", "map", "map", "level", "units")


@pytest.fixture
def site(tmp_path, monkeypatch):
    draws = np.random.default_rng(0)
    for number in range(4):
        Image.fromarray(draws.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    with served(monkeypatch, *(f"{number}.png" for number in range(4)), *TINY) as found:
        yield found


def memory() -> float:
    """MB of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux for the memory")
def test_eight_tabs_get_right_answers_in_bounded_memory(site, tmp_path):
    draws = random.Random(0)
    asked = [
        (draws.choice(KINDS), f"{draws.randrange(4)}.png", draws.choice(METHODS), draws.choice(FLOWERS))
        for _ in range(REQUESTS)
    ]
    half = REQUESTS // 2
    answers = _asked(site, asked[:half])
    before = memory()
    answers += _asked(site, asked[half:])
    assert memory() - before < GROWTH
    assert site.studio.made.used <= site.studio.made.most and site.studio.files.used <= site.studio.files.most
    known: dict[tuple[str, ...], bytes] = {}
    for what, answer in answers:
        if what[0] == "map" and what not in known:
            words = [what[2].replace("_", "-"), what[1], "-c", what[3]]
            (path,) = interp(*words, *TINY, "-o", f"{tmp_path}/out/").paths
            known[what] = path.read_bytes()
        assert answer == known.setdefault(what, answer), what


def _asked(site: Site, asked: list[tuple[str, ...]]) -> list[tuple[tuple[str, ...], object]]:
    """What each request is answered, from so many tabs at once."""
    found, left, lock = [], list(asked), threading.Lock()

    def tab() -> None:
        while True:
            with lock:
                if not left:
                    return
                what = left.pop()
            answer = _answer(site, *what)
            with lock:
                found.append((what, answer))

    tabs = [threading.Thread(target=tab) for _ in range(TABS)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    assert len(found) == len(asked)
    return found


def _answer(site: Site, kind: str, name: str, method: str, query: str) -> object:
    picture = site.id(name)
    if kind == "map":
        about = site.first("map", "look", picture=picture, methods=method, **{"class": query})
        return site.ask(about["file"]).body
    if kind == "level":
        return site.first("level", "fool", picture=picture, attack="fgsm", level="4")["file"]
    return site.first("units", "place", picture=picture, place="0.5,0.5", layer="conv2")["found"]
