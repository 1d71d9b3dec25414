"""Labels, regression, segmentation and detection from the shell, and classes that the network does not see."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from interpret import read
from interpret.explainers.absent_classes import absence
from tests.command import interp, stored
from tests.own_networks import Detects, Net, Segments, ages, classifier, one_output, three_labels, with_bias

BARE = ("--mean", "0,0,0", "--std", "1,1,1")


def own(name: str, *more: str) -> tuple[str, ...]:
    return "-m", f"tests.own_networks:{name}", *BARE, *more


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with a picture in it."""
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(values).save("own.png")
    return read("own.png")


def succeeded(*words: object):
    run = interp(*words)
    assert run.status == 0, run.err
    return run


def refused(*words: object, status: int = 2) -> str:
    run = interp(*words)
    assert run.status == status and run.err.count("\n") == 1, run.err
    return run.err


def test_each_label_has_its_own_probability(here):
    lines = succeeded("predict", "own.png", *own("three_labels")).out.splitlines()[1:]
    shares = three_labels()(here)[0]
    printed = {line.split()[1]: line.split()[0] for line in lines}
    assert printed == {str(index): f"{share:.1%}" for index, share in enumerate(shares.tolist())}
    rows = json.loads(succeeded("predict", "own.png", *own("three_labels"), "--json").out)["top"]
    assert sum(row["probability"] for row in rows) > 1.9


def test_one_output_behind_a_function(here):
    line = succeeded("predict", "own.png", *own("one_output")).out.splitlines()[1]
    assert line.split() == [f"{1 - float(one_output()(here)):.1%}", "0", "(0)"]


def test_a_regression_has_its_own_unit(here):
    years = float(ages()(here))
    model = own("ages", "--task", "regression")
    out = succeeded("predict", "own.png", *model).out
    assert out.split()[1:] == [f"{years:.5g}", "0", "(0)"] and "%" not in out
    (row,) = json.loads(succeeded("predict", "own.png", *model, "--json").out)["top"]
    assert row == {"index": 0, "name": "0", "value": pytest.approx(years, abs=1e-4)}
    run = succeeded("saliency", "own.png", *model, "-o", "own.npy")
    assert f"output 0 {years:.4g}" in run.err
    image = here.clone().requires_grad_()
    (slope,) = torch.autograd.grad(ages()(image)[0, 0], image)
    np.testing.assert_allclose(np.load("own.npy"), slope[0], rtol=1e-4, atol=1e-7)
    assert "no probabilities" in refused("saliency", "own.png", *model, "--score", "log-probability")
    assert "no classes" in refused("attack", "fgsm", "own.png", *model)


def test_an_attack_on_a_label(here):
    run = succeeded("attack", "pgd", "own.png", *own("Halves"), "--label", "0", "--eps", "0.4", "--json")
    row = json.loads(run.out)
    assert (row["before_name"], row["after_name"], row["success"]) == ("0", "no 0", True)
    assert row["before_probability"] > 0.5 > 1 - row["after_probability"]
    # What the network says of the other label is no reason for it to be fooled.
    run = succeeded("attack", "pgd", "own.png", *own("Halves"), "--target", "1", "--eps", "0.4", "--json")
    row = json.loads(run.out)
    assert row["label"] == 1 and row["after_name"] == "1" and row["after_probability"] > 0.5


def test_one_of_several_outputs(here):
    said = refused("predict", "own.png", *own("two_outputs"))
    assert "--output-key 1" in said
    assert succeeded("predict", "own.png", *own("two_outputs", "--output-key", "1")).out.count("%") == 3


def test_a_mask_of_a_segmentation(here):
    mask = np.zeros((24, 32), np.uint8)
    mask[:12, :16] = 255
    Image.fromarray(mask).save("mask.png")
    succeeded("saliency", "own.png", *own("Segments"), "-c", "1", "--mask", "mask.png", "-o", "own.npy")
    image = here.clone().requires_grad_()
    (slope,) = torch.autograd.grad(Segments()(image)["out"][:, 1, :6, :8].sum(), image)
    np.testing.assert_allclose(np.load("own.npy"), slope[0], rtol=1e-4, atol=1e-7)
    succeeded("gradcam", "own.png", *own("Segments"), "-c", "1", "-c", "2", "--mask", "mask.png")
    assert stored("own_gradcam_2.png")["explained"]["indices"] == [2]
    seen = int(Segments()(here)["out"].argmax(1).flatten().mode().values)
    where = Segments()(here)["out"].argmax(1) == seen
    succeeded("saliency", "own.png", *own("Segments"), "-c", str(seen), "--score", "pixels", "-o", "own.npy")
    (slope,) = torch.autograd.grad(Segments()(image)["out"][:, seen][where].sum(), image)
    np.testing.assert_allclose(np.load("own.npy"), slope[0], rtol=1e-4, atol=1e-7)
    assert "--score pixels" in refused("saliency", "own.png", *own("Segments"))
    assert "--class" in refused("saliency", "own.png", *own("Segments"), "--mask", "mask.png")
    Image.fromarray(mask[:5]).save("small.png")
    words = ("saliency", "own.png", *own("Segments"), "-c", "1", "--mask", "small.png")
    assert "the mask is (5, 32), and the picture (24, 32)" in refused(*words, status=1)
    assert "--smooth" in refused(
        "saliency", "own.png", *own("Segments"), "-c", "1", "--mask", "mask.png", "--smooth", "2"
    )


def test_a_box_of_a_detection(here):
    model = own("Detects")
    succeeded("saliency", "own.png", *model, "-c", "1", "--box", "0,0,16,24", "-o", "own.npy")
    image = here.clone().requires_grad_()
    (slope,) = torch.autograd.grad(Detects().conv(image)[:, 0, :, :16].mean(), image)
    np.testing.assert_allclose(np.load("own.npy"), slope[0], rtol=1e-4, atol=1e-7)
    succeeded("saliency", "own.png", *model, "-c", "1", "--score", "box")
    assert stored("own_saliency_1.png")["explained"]["box"] == "the surest"
    said = refused("saliency", "own.png", *model, "-c", "2", "--box", "0,0,16,24", status=1)
    assert "class 2 is not detected where the box is" in said
    for wrong in ("1,2,3", "16,0,0,24", "a,b,c,d"):
        assert "a box such as" in interp("saliency", "own.png", *model, "-c", "1", "--box", wrong).err
    assert "no names" in refused("saliency", "own.png", *model, "-c", "cat", "--box", "0,0,16,24")
    assert "one of them" in refused("saliency", "own.png", *model, "-c", "1", "--box", "0,0,16,24", "--mask", "own.png")
    assert "one of them" in refused("saliency", "own.png", *model, "-c", "1", "--box", "0,0,16,24", "--score", "pixels")


def test_boxes_of_pictures_of_several_sizes(here):
    Image.fromarray(np.full((26, 36, 3), 99, np.uint8)).save("wide.png")
    model = own("Detects", "--input-size", "16")
    succeeded("saliency", "own.png", "wide.png", *model, "-c", "1", "--box", "5,0,17,25", "-o", "maps")
    assert stored("maps/wide_saliency_1.png")["explained"]["box"] == [5, 0, 17, 25]


def test_a_function_of_ones_own(here):
    model = own("Detects")
    succeeded("saliency", "own.png", *model, "--score", "tests.own_networks:first_box", "-o", "own.npy")
    succeeded("saliency", "own.png", *model, "-c", "1", "--box", "0,0,16,24", "-o", "box.npy")
    np.testing.assert_allclose(np.load("own.npy"), np.load("box.npy"), rtol=1e-4, atol=1e-7)
    run = succeeded("rise", "own.png", *model, "--score", "tests.own_networks:first_box", "--masks", "4")
    assert run.paths[0].name == "own_rise_first_box.png"
    score = "tests.own_networks:first_bx"
    assert "did you mean 'first_box'" in refused("saliency", "own.png", *model, "--score", score)
    assert "failed: KeyError" in refused(
        "saliency", "own.png", *own("Segments"), "--score", "tests.own_networks:last_map"
    )
    assert "log-probability" in interp("saliency", "own.png", *model, "--score", "log-probabilty").err


def test_a_class_that_is_not_there_is_said(here):
    run = succeeded("gradcam", "own.png", *own("two_classes"), "-c", "1")
    assert "1 has the probability" in run.err and "not that it is there" in run.err
    assert "not that it is there" not in succeeded("gradcam", "own.png", *own("two_classes"), "-c", "0").err
    assert "not that" not in succeeded("gradcam", "own.png", *own("two_classes"), "-c", "1", "-q").err


def test_absence():
    model = classifier(with_bias(Net(3), 5.0, 4.0, -5.0), labels=["cat", "dog", "fox"])
    logits = model(torch.rand(1, 3, 8, 8))[0]
    assert absence(model, logits, 0) == absence(model, logits, 1) == ""
    assert absence(model, logits, 2).startswith("fox has the probability")
    assert "far below cat 0.7" in absence(model, logits, 2)
    model = classifier(with_bias(Net(3), 5.0, 4.0, -5.0), task="regression")
    model(torch.rand(1, 3, 8, 8))
    assert absence(model, logits, 2) == ""
