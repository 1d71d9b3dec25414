"""`interp visualize`: the sheet, the data set beside it, directions, seeds, and Ctrl-C."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interpret.drawing import feature_visualization
from interpret.drawing.expressions import class_of, objective_of, unit_of
from interpret.drawing.objectives import channel, direction
from interpret.figures.drawings import _columns
from tests.command import TINY, flowers, interp, stored

QUICK = (*TINY, "--steps", 2, "--size", 16)


def shown(path):
    """What is in a picture's file: (H, W, 3), of an animation its number of frames."""
    with Image.open(path) as picture:
        return picture.n_frames if path.suffix == ".gif" else np.array(picture.convert("RGB"))


def test_one_picture_is_a_picture_and_says_how_it_was_made():
    run = interp("visualize", "rose", *QUICK)
    assert [path.name for path in run.paths] == ["rose_visualize.png"]
    assert shown(run.paths[0]).shape == (16, 16, 3)
    about = stored(run.paths[0])
    assert about["what"] == ["rose"] and about["seeds"] == {"rose": 0} and about["options"]["steps"] == 2
    assert about["model"] == TINY[1] and len(about["weights_hash"]) == 12 and "torch" in about["versions"]
    assert "rose: the objective went from" in run.err and not interp("visualize", "rose", *QUICK, "-q").err


def test_a_sheet_of_opposites_and_of_pictures_apart():
    words = ("rose", "conv1:3", "rose - 0.5 x tulip", "--negative", "--diversity", 2)
    run = interp("visualize", *words, *QUICK, "-o", "out/", "--curve", "curve.pdf", "--gif", "way.gif", "--every", 1)
    assert run.status == 0 and len(run.paths) == 3
    assert list(stored(run.paths[0])["seeds"]) == [
        "rose",
        "not rose",
        "conv1:3",
        "not conv1:3",
        "rose - 0.5 x tulip",
        "not (rose - 0.5 x tulip)",
    ]
    assert shown(Path("way.gif")) == 12
    tall, wide, _ = shown(run.paths[0]).shape
    assert tall > 2.5 * wide  # six rows of two


@pytest.mark.parametrize(("count", "pairs", "columns"), [(3, False, 3), (5, False, 3), (8, False, 4), (6, True, 2)])
def test_no_pair_is_torn_apart(count, pairs, columns):
    assert _columns(count, pairs) == columns


def test_beside_are_the_crops_of_a_data_set():
    run = interp("visualize", "conv1:3", "conv1:3@2,2", "rose", *QUICK, "--beside", "samples")
    assert run.status == 0 and run.err.count("scanned") == 2
    found = stored(run.paths[0])["beside"]
    assert list(found) == ["conv1:3", "conv1:3@2,2", "rose"]
    assert (found["rose"]["layer"], found["rose"]["channel"]) == ("head", 0)
    unit = found["conv1:3"]
    assert unit["pictures"] > 20 and len(unit["crops"]) == 9 and unit["crops"][0]["value"] == unit["strongest"]
    assert unit["times"] == pytest.approx(unit["activation"] / unit["strongest"])
    assert f"conv1:3: reaches {unit['activation']:.3g}, {unit['times']:.2g} times the strongest of" in run.err
    again = interp("visualize", "conv1:5", *QUICK, "--beside", "samples")
    assert f"scanned 0 of {unit['pictures']} pictures" in again.err


@pytest.mark.parametrize("what", ["rose + tulip", "conv1", "0.5 x conv1:3"])
def test_what_is_no_unit_has_nothing_beside_it(what):
    run = interp("visualize", what, *QUICK, "--beside", "samples")
    assert run.status == 2 and "--beside is for LAYER:CHANNEL or one class" in run.err


def test_a_direction_is_read_from_a_file():
    np.save("way.npy", np.eye(8)[3])
    classifier = flowers()
    objective, expected = objective_of("conv1:way.npy", classifier), channel("conv1", 3)
    seen = {"conv1": torch.rand(2, 8, 4, 4)}
    torch.testing.assert_close(objective.score(seen), expected.score(seen))
    assert objective.layers == direction("conv1", torch.ones(8)).layers
    assert interp("visualize", "rose + 2 x conv1:way.npy", *QUICK).status == 0


def test_a_direction_that_does_not_fit_is_refused():
    np.save("short.npy", np.ones(3))
    np.save("flat.npy", np.ones((8, 1)))
    np.save("none.npy", np.zeros(8))
    np.save("words.npy", np.array(["a"] * 8))
    with open("text.npy", "w") as file:
        file.write("1 2 3")
    problems = {
        "conv1:short.npy": "layer 'conv1' has 8 channels, the direction 3",
        "conv1:flat.npy": "shape (8, 1)",
        "conv1:none.npy": "not all 0",
        "conv1:words.npy": "holds no numbers",
        "conv1:text.npy": "holds no numbers",
        "conv1:gone.npy": "there is no file gone.npy",
        "conv9:short.npy": "did you mean",
    }
    for what, problem in problems.items():
        run = interp("visualize", what, *QUICK)
        assert run.status == 2 and problem in run.err, what


def test_everything_is_checked_before_anything_is_drawn():
    for what in ("conv1:8", "conv1:3@99,0", "conv9", "roze"):
        run = interp("visualize", "rose", what, *QUICK)
        assert run.status == 2 and "went from" not in run.err


def test_what_an_expression_is():
    classifier = flowers()
    assert unit_of("conv1:3") == unit_of("conv1:3@1,2") == ("conv1", 3)
    assert unit_of("conv1") is None and unit_of("rose + conv1:3 ") is None
    assert class_of("tulip", classifier) == 1
    assert class_of("tulip + rose", classifier) is None and class_of("conv1", classifier) is None


def test_the_best_of_several_seeds_is_kept(monkeypatch):
    scores = iter([0.2, 0.9, 0.4])
    monkeypatch.setattr(feature_visualization, "score_of_views", lambda *_: torch.tensor([next(scores)]))
    run = interp("visualize", "rose", *QUICK, "--seed", 5, "--seeds", 3, "-o", "best.png")
    assert "rose: seed 6 is kept; seen from 16 sides they reach 5: 0.2, 6: 0.9, 7: 0.4" in run.err
    assert stored(run.paths[0])["seeds"] == {"rose": 6}
    interp("visualize", "rose", *QUICK, "--seed", 6, "-o", "six.png")
    assert np.array_equal(shown(Path("best.png")), shown(Path("six.png")))


def test_seeds_of_what_is_no_class():
    run = interp("visualize", "conv1:3", *QUICK, "--seeds", 2, "--negative")
    assert run.status == 0 and run.err.count("is kept") == 2


def test_what_cannot_be_drawn_does_not_stop_the_others():
    run = interp("visualize", "relu#2:2", "rose", *QUICK, "--image", "pixels", "--no-transforms", "--negative")
    assert run.status in (0, 1) and run.paths
    half_blind = ("-m", "tests.cli.commands.test_visualize:half_blind", "--steps", 2, "--size", 16)
    run = interp("visualize", "rose", "tulip", *half_blind)
    assert run.status == 1 and list(stored(run.paths[0])["seeds"]) == ["rose"]
    assert "Error: tulip: nothing in the picture changes logit 1" in run.err
    assert interp("visualize", "tulip", *half_blind).status == 2


def half_blind():
    """A network to which every picture is as much of a tulip."""
    classifier = flowers()
    classifier.network.head.weight.data[1] = 0
    return classifier


def test_ctrl_c_keeps_the_picture_so_far(monkeypatch):
    from cli.commands.optimised import Frames

    look = Frames.__call__

    def interrupted(frames, step):
        look(frames, step)
        if step.number == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Frames, "__call__", interrupted)
    run = interp("visualize", "rose", "tulip", *TINY, "--size", 16, "--steps", 50)
    assert run.status == 130 and list(stored(run.paths[0])["seeds"]) == ["rose"]


def test_raw_numbers_are_refused():
    assert interp("visualize", "rose", *QUICK, "-o", "a.npy").status == 2
