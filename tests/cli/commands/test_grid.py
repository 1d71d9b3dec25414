"""`interp grid`: a figure, the maps that are kept, and what is passed over."""

import json

import pytest

from tests.command import CAT, TINY, interp, stored


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, where maps are kept, too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "kept"))
    return tmp_path


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_command_writes_a_figure_and_keeps_the_maps(here, suffix):
    ran = interp("grid", CAT, "--methods", "gradcam,guided-backprop", "-c", "rose", *TINY, "-o", f"figure.{suffix}")
    assert (ran.status, ran.out) == (0, f"figure.{suffix}\n"), ran.err
    assert len(list((here / "kept" / "interp" / "maps").glob("*.npz"))) == 3  # the logits too
    content = (here / f"figure.{suffix}").read_bytes()
    assert content.startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[suffix])
    if suffix == "png":
        about = stored(here / "figure.png")
        assert about["methods"] == ["gradcam", "guided_backprop"] and about["classes"] == ["rose"]


def test_a_broken_picture_is_passed_over(here):
    (here / "bad.jpg").write_bytes(b"junk")
    ran = interp("grid", CAT, "bad.jpg", *TINY, "--no-cache")
    assert ran.status == 1 and ran.paths[0].exists() and not (here / "kept").exists()
    assert [line for line in ran.err.splitlines() if line.startswith("Error")] == [
        "Error: bad.jpg is empty, damaged or no picture of a known kind; convert it to PNG or JPEG"
    ]
    alone = interp("grid", "bad.jpg", *TINY)
    assert (alone.status, alone.out) == (1, "")


def test_networks_and_attacks_side_by_side(here):
    networks = "tests.command:flowers,tests.command:dark_flowers"
    words = ("grid", CAT, "--models", networks, "--attacks", "fgsm", "--eps", "8/255", "--json", "-o", "out.png")
    ran = interp(*words, "--set", "gradcam.relu=no")
    assert ran.status == 0, ran.err
    about = json.loads(ran.out)
    assert list(about["models"]) == networks.split(",")
    assert about["options"] == {"gradcam": {"relu": False}}
    assert interp(*words, "--attacks", "fgsn").err.startswith("Error: no attack 'fgsn'; did you mean 'fgsm'")
    assert "8/255" in interp(*words, "--eps", "8").err
