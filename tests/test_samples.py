"""The samples that are no photos: networks of one's own on drawn shapes, from the shell and from Python."""

from pathlib import Path

import pytest
import torch

import interpret
from samples.shapes.drawn import SHAPES, draw
from samples.shapes.networks import LABELS, detector, segmentation
from tests.command import interp

REPOSITORY = Path(__file__).parents[1]
UNSEEN = draw(2_000_002)  # a square, a circle and a star


def test_a_picture_of_shapes_and_what_is_known_of_it():
    assert sorted(LABELS[label] for label in UNSEEN.labels) == ["circle", "square", "star"]
    for (left, top, right, bottom), label in zip(UNSEEN.boxes.tolist(), UNSEEN.labels, strict=True):
        rows, columns = (UNSEEN.mask == label).nonzero().T
        assert rows.min() >= top - 1 and rows.max() <= bottom + 1
        assert columns.min() >= left - 1 and columns.max() <= right + 1
    assert torch.equal(draw(2_000_002).image, UNSEEN.image) and len(SHAPES) == 4


def test_the_detector_finds_the_shapes():
    (found,) = detector().answer(UNSEEN.image[None], whole=True)
    sure = found["scores"] > 0.5
    assert sorted(found["labels"][sure].tolist()) == sorted(UNSEEN.labels.tolist())


def test_the_segmentation_of_the_star_is_explained_by_the_star():
    classifier = segmentation()
    star = LABELS.index("star")
    attribution = interpret.gradcam(classifier, UNSEEN.image[None], interpret.pixels(star))
    assert UNSEEN.mask.flatten()[attribution.argmax()] == star


@pytest.mark.parametrize("words", ["segmentation -c star --score pixels", "detector -c star --score box"])
def test_from_the_shell(words, tmp_path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    words = f"gradcam samples/shapes/shapes.png -m samples.shapes.networks:{words} -o {tmp_path}/star.png"
    run = interp(*words.split())
    assert run.status == 0 and (tmp_path / "star.png").stat().st_size > 1000, run.err
