"""What is looked for in a list, or given where a command should stand."""

from pathlib import Path

import pytest

from tests.command import interp


@pytest.mark.parametrize(
    ("group", "first"),
    [((), "predict"), (("attack",), "fgsm"), (("evaluate",), "accuracy")],
    ids=["", "attack", "evaluate"],
)
def test_a_picture_in_the_place_of_a_command(group, first):
    Path("photo.jpg").touch()
    for picture in ("sample:cat", "photo.jpg"):
        run = interp(*group, picture)
        assert (
            run.status == 2 and f"the command comes first: {' '.join(('interp', *group, first))} {picture}" in run.err
        )


def test_some_of_the_methods():
    assert len(interp("methods").out.splitlines()) > 2 * len(interp("methods", "cam").out.splitlines()) > 40
    assert interp("methods", "Simonyan").out.startswith("saliency ")
    run = interp("methods", "gradcm")
    assert (run.status, run.out) == (2, "") and "did you mean 'gradcam'" in run.err


def test_some_of_the_networks():
    assert interp("models", "squeezenet").out.splitlines() == interp("models", "SqueezeNet").out.splitlines() != []
    run = interp("models", "restnet50")
    assert (run.status, run.out) == (2, "") and "did you mean 'resnet50'" in run.err
