"""What a network sees, from Python as from the shell."""

import json

import pytest
import torch
from torch import nn

from interpret import InterpretError, predict
from tests.command import CAT, FLOWERS, SQUEEZE, flowers, interp


def test_python_says_what_the_shell_says(squeezenet):
    shell = json.loads(interp("predict", CAT, *SQUEEZE, "--json", "--top-k", "3").out)["top"]
    (python,) = predict(squeezenet, str(CAT), top_k=3)
    assert [row["index"] for row in python] == [row["index"] for row in shell]
    assert [row["probability"] for row in python] == pytest.approx([row["probability"] for row in shell], abs=1e-5)


def test_every_image_has_its_classes_the_highest_first():
    classifier, images = flowers(), torch.rand(3, 3, 40, 36)
    found = predict(classifier, images)
    assert [rows[0]["index"] for rows in found] == classifier.predict(images).tolist()
    for rows in found:
        assert {row["name"] for row in rows} == set(FLOWERS)
        assert sum(row["probability"] for row in rows) == pytest.approx(1, abs=1e-4)
        assert rows == sorted(rows, key=lambda row: -row["probability"])


def test_a_plain_network_has_numbers_for_names():
    (rows,) = predict(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.rand(1, 3, 2, 2))
    assert {row["name"] for row in rows} == {"0", "1"}


def test_no_class_at_all_is_refused():
    with pytest.raises(InterpretError, match="top_k is 1 or more, not 0"):
        predict(flowers(), torch.rand(1, 3, 8, 8), top_k=0)
