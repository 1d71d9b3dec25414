"""Why a map is blank."""

import pytest
import torch

from interpret import diagnose

MAPS = {
    "fine": ([1.0, 2, 3, 4], "fine", 0.0),
    "both signs": ([-1.0, 2, 3, -4], "fine", 0.5),
    "one positive place": ([0.0, 0, 0, 1], "fine", 0.0),
    "mostly against": ([-9.0, 0, 0, 1], "fine", 0.9),
    "negative": ([-1.0, -2, -3, -4], "negative", 1.0),
    "negative with zeros": ([-1.0, 0, 0, 0], "negative", 1.0),
    "zero": ([0.0, 0, 0, 0], "zero", 0.0),
    "minus zero": ([-0.0, 0, -0.0, 0], "zero", 0.0),
    "constant": ([2.0, 2, 2, 2], "constant", 0.0),
    "constant but for rounding": ([2.0, 2 + 2e-7, 2, 2], "constant", 0.0),
    "constant and negative": ([-2.0, -2, -2, -2], "constant", 1.0),
    "tiny but not zero": ([1e-30, 3e-30, 0, 0], "fine", 0.0),
    "large and nearly flat": ([1e6, 1e6 + 10, 1e6, 1e6], "fine", 0.0),
    "NaN": ([1.0, float("nan"), 0, 0], "not finite", 0.0),
    "infinite": ([1.0, float("inf"), 0, 0], "not finite", 0.0),
}


@pytest.mark.parametrize(("values", "kind", "share"), MAPS.values(), ids=MAPS)
def test_kinds(values, kind, share):
    (found,) = diagnose(torch.tensor(values).view(1, 1, 2, 2))
    assert found.kind == kind
    assert found.negative_share == pytest.approx(share)
    assert found.sentence


def test_one_a_map_over_all_channels():
    maps = torch.zeros(3, 3, 4, 5, requires_grad=True) + torch.tensor([0.0, 1, -1]).view(3, 1, 1, 1)
    maps = maps + torch.linspace(0, 0.1, 5) * torch.tensor([0.0, 1, 1]).view(3, 1, 1, 1)
    assert [found.kind for found in diagnose(maps)] == ["zero", "fine", "negative"]
    assert diagnose(maps[:0]) == []


def test_the_sentence_counts_what_is_not_finite():
    (found,) = diagnose(torch.tensor([[[[1.0, float("nan")], [float("-inf"), 0]]]]))
    assert found.sentence.startswith("2 of 4 values")
