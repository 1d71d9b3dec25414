"""What is bundled: each photo opens, has a licence, and shows things where its boxes say; data is found by name."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from interpret import UnknownNameError, bundled, read
from interpret.bundled import samples

FOLDER = samples()["cat"].parent
BOXES = json.loads((FOLDER / "boxes.json").read_text())
MONTAGE = "cat-and-dog.jpg"


def flat(entry):
    """Every box of an entry, however deep."""
    if isinstance(entry, dict):
        return [box for inner in entry.values() for box in flat(inner)]
    return [entry] if isinstance(entry, list) else []


@pytest.mark.parametrize("name", samples())
def test_every_sample_opens_and_has_a_licence(name):
    image = read(f"sample:{name}")
    assert max(image.shape[2:]) <= 640
    assert image.std() > 0.05
    line = f"| {name}.jpg | {image.shape[3]}x{image.shape[2]} |"
    assert line in (FOLDER / "LICENCES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", BOXES)
def test_boxes_lie_inside_their_picture(file):
    with Image.open(FOLDER / file) as picture:
        width, height = picture.size
    for left, top, right, bottom in flat(BOXES[file]):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def test_the_heads_of_the_montage_are_seen_by_a_network():
    with Image.open(FOLDER / MONTAGE) as montage:
        width, height = montage.size
    margin = 0.4375 * min(width, height)  # a crop of 224 out of 256
    for left, top, right, bottom in BOXES[MONTAGE]["heads"].values():
        assert width / 2 - margin < left < right < width / 2 + margin
        assert height / 2 - margin < top < bottom < height / 2 + margin


def test_each_animal_of_the_montage_has_its_part():
    boxes = BOXES[MONTAGE]
    assert boxes["cat"][3] <= boxes["dog"][1]
    for animal, (left, top, right, bottom) in boxes["heads"].items():
        assert boxes[animal][0] <= left and right <= boxes[animal][2]
        assert boxes[animal][1] <= top and bottom <= boxes[animal][3]


@pytest.mark.parametrize("file", [file for file in BOXES if "expect" in BOXES[file]])
def test_the_network_sees_the_animal(lite0, file):
    best = int(lite0(read(FOLDER / file)).argmax())
    assert lite0.labels[best] == BOXES[file]["expect"]


def test_the_network_sees_both_animals_of_the_montage(lite0):
    best = lite0(read(FOLDER / MONTAGE)).squeeze(0).topk(5).indices.tolist()
    assert any(index in range(151, 269) for index in best)
    assert any(index in range(281, 286) for index in best)


def test_the_samples_are_listed_without_torch():
    code = "import sys; from interpret.bundled import samples; print(len(samples()), 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=FOLDER.parent)
    assert run.stdout == f"{len(samples())} False\n", run.stderr


def test_bundled_data_is_found_by_name():
    assert bundled.data("imagenet1k_wordnet.json").is_file()
    with pytest.raises(UnknownNameError, match="there is no data file 'nothing'; there are "):
        bundled.data("nothing")
