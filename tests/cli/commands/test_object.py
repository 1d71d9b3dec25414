"""`interp attack object`: the texture, the figure, the turntable and the shares of what is seen."""

import json

import pytest
from PIL import Image

import interpret
from tests.command import interp

CODE = """import torch
from torch import nn


class Reddish(nn.Module):
    def forward(self, images):
        return 8 * images[:, [0, 2], 12:20, 12:20].mean((2, 3))


def network():
    return Reddish()
"""
OWN = ("-m", "reddish:network", "--mean", "0,0,0", "--std", "1,1,1", "--input-size", "32")
QUICK = ("--steps", "12", "--views", "3", "--texels", "16", "--poses", "20")
BLUE = ("attack", "object", "--solid", "cube", "--target", "blue", "--labels", "names.txt", *OWN, *QUICK)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reddish.py").write_text(CODE)
    (tmp_path / "names.txt").write_text("red\nblue\n")
    return tmp_path


def test_a_cube_is_seen_as_its_target(folder):
    run = interp(*BLUE, "--gif", "turn.gif", "--json")
    assert run.status == 0, run.err
    told = json.loads(run.out)
    assert told["share"] > 0.8 and told["interval"][0] < told["share"] and told["poses"] == 20
    assert "of 20 views it was not made for; before" in run.err
    assert interpret.read("object.png").shape == (1, 3, 16, 16)
    assert interpret.read("object_figure.png").shape[3] > 400
    with Image.open("turn.gif") as film:
        assert film.n_frames == 36


@pytest.mark.slow
def test_a_texture_stays_near_the_picture_it_began_with(folder):
    run = interp(*BLUE, "--texture", "sample:cat", "--eps", "8/255", "-o", "near.png")
    assert run.status == 0 and run.out.split() == ["near.png", "near_figure.png"]
    start = interpret.read("sample:cat")
    assert (interpret.read("near.png") - start).abs().max() <= 8 / 255 + 0.5 / 255 + 1e-6


def test_what_is_refused(folder):
    for words, said in (
        (("--solid", "cone"), "no solid 'cone'"),
        (("--solid", "none.obj"), "none.obj cannot be read"),
        (("--target", "blu", "--labels", "names.txt"), "did you mean"),
        (("--gif", "turn.avi"), ".gif"),
        (("-o", "object.jpg"), "write .png"),
        (("--eps", "8"), "8/255"),
    ):
        run = interp("attack", "object", *OWN, *QUICK, *words)
        assert run.status == 2 and said in run.err and run.err.count("\n") == 1, run.err
