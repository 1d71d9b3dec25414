"""The same run again, or one that was interrupted and goes on, leaves the same bytes."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command import CAT, TINY, interp


@pytest.fixture
def photos():
    """Four pictures of noise."""
    folder = Path("photos")
    folder.mkdir()
    draw = np.random.default_rng(3)
    for number in range(4):
        Image.fromarray(draw.integers(0, 256, (30, 34, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def test_a_ranking_that_goes_on_is_the_same(photos):
    words = ("evaluate", "faithfulness", photos, "--methods", "saliency,gradcam", "--steps", "3", *TINY)
    assert interp(*words, "-o", "whole").status == 0
    shutil.copytree("whole", "half")
    table = Path("half/faithfulness_pictures.csv")
    table.write_bytes(table.read_bytes()[: random.Random(1).randrange(600, 1200)])
    for name in ("faithfulness.csv", "faithfulness.png", "faithfulness_curves.png"):
        (Path("half") / name).unlink()
    again = interp(*words, "-o", "half", "--no-clobber")
    assert again.status == 0 and contents("half") == contents("whole")


def test_two_equal_attacks_are_the_same(photos):
    for folder in ("one", "two"):
        assert interp("attack", "pgd", photos, "--steps", "2", "-o", folder, *TINY).status == 0
    assert contents("one") == contents("two")


def test_two_equal_maps_are_the_same():
    for folder in ("one", "two"):
        words = ("gradcam", CAT, "-c", "rose", "--view", "side-by-side", "--raw", "-o", f"{folder}/", *TINY)
        assert interp(*words).status == 0
    assert contents("one") == contents("two")
