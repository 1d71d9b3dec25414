"""`interp evaluate` with pictures that the network cannot take, alone or several at a time."""

import json

import pytest
import torch
from torch import Tensor, nn

from interpret import Classifier
from interpret.images.files import write
from tests.command import interp

CLASSES = ("dark", "bright")


class Pooled(nn.Module):
    """Dark or bright; takes pictures of eight pixels and more a side, and so many at a time."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.pool = nn.Conv2d(3, 1, 8, stride=8, bias=False)
        self.pool.weight.data.fill_(1 / 192)

    def forward(self, images: Tensor) -> Tensor:
        if len(images) > self.most:
            raise RuntimeError("out of memory")
        bright = self.pool(images).mean((1, 2, 3))
        return torch.stack([-bright, bright], 1)


def pooled(most: int = 2) -> Classifier:
    """A network that sees pictures as large as they are."""
    return Classifier(Pooled(most), mean=(0.5,) * 3, std=(0.25,) * 3, labels=CLASSES)


def roomy() -> Classifier:
    """The same with more memory."""
    return pooled(100)


POOLED = ("-m", "tests.cli.evaluate.test_failing:pooled")
ROOMY = ("-m", "tests.cli.evaluate.test_failing:roomy")


@pytest.fixture
def photos(tmp_path):
    """Four pictures, of which three are called what they are, and a fifth of four pixels a side."""
    for name in CLASSES:
        (tmp_path / "photos" / name).mkdir(parents=True)
    for number, (name, level) in enumerate([("dark", 0.2), ("dark", 0.7), ("bright", 0.8), ("bright", 0.9)]):
        write(tmp_path / "photos" / name / f"{number}.png", torch.full((1, 3, 16, 16), level))
    return tmp_path / "photos"


def with_a_small_one(photos):
    """The same, and a picture that is too small for the network."""
    write(photos / "bright" / "small.png", torch.full((1, 3, 4, 4), 0.9))
    return photos


def test_a_batch_too_large_is_looked_at_one_by_one(photos):
    ran = interp("evaluate", "accuracy", photos, "--json", *POOLED)
    assert ran.status == 0, ran.err
    assert (json.loads(ran.out)["right"], json.loads(ran.out)["count"]) == (3, 4)


def test_too_small_a_picture_is_one_line(photos):
    ran = interp("evaluate", "accuracy", with_a_small_one(photos), "--json", *POOLED)
    assert ran.status == 1 and (json.loads(ran.out)["right"], json.loads(ran.out)["count"]) == (3, 4)
    (line,) = ran.err.splitlines()
    assert line.startswith("Error: ") and "small.png: " in line


def test_the_curve_is_that_of_the_others(photos):
    words = ("evaluate", "robustness", photos, "--attack", "fgsm", "--eps", "0,80lv", "--json", *POOLED)
    alone = interp(*words, "-o", "alone", "--batch-size", 1)
    assert alone.status == 0 and [json.loads(line)["right"] for line in alone.out.splitlines()] == [3, 1]
    with_a_small_one(photos)
    ran = interp(*words, "-o", "all")
    assert ran.status == 1 and ran.out == alone.out
    assert sum("small.png: " in line for line in ran.err.splitlines()) == 1
    (photos / "bright" / "small.png").unlink()
    again = interp(*words, "-o", "all", "--no-clobber")
    assert again.status == 0 and again.out == alone.out


def test_nothing_left_is_one_line_more(photos):
    for path in with_a_small_one(photos).glob("*/[0-9].png"):
        path.unlink()
    for words in (("accuracy",), ("robustness", "--attack", "fgsm"), ("masking",)):
        ran = interp("evaluate", *words[:1], "photos", *words[1:], *POOLED)
        assert ran.status == 2 and not ran.out
        assert ran.err.splitlines()[-1] == "Error: none of the pictures could be looked at"


def test_masking_looks_at_the_others(photos):
    ran = interp("evaluate", "masking", with_a_small_one(photos), "--queries", 5, *ROOMY)
    assert "gradient-free" in ran.out, ran.err
    assert ran.status in (1, 3) and sum("small.png: " in line for line in ran.err.splitlines()) == 1
