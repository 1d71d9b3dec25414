"""The 256 levels of an 8-bit file."""

import pytest
import torch

from interpret import InterpretError
from interpret.images.levels import from_levels, to_levels


def test_the_grid_comes_back_exactly():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_levels(from_levels(levels)), levels)
    assert torch.equal(to_levels(levels.double() / 255), levels)


def test_rounding_goes_to_the_nearest_level():
    images = torch.rand(10_000)
    assert (from_levels(to_levels(images)) - images).abs().max() <= 0.5 / 255 + 1e-7
    assert to_levels(torch.tensor([0.49, 0.51, 254.51]) / 255).tolist() == [0, 1, 255]
    assert torch.equal(to_levels(from_levels(to_levels(images))), to_levels(images))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (torch.tensor([0.0, float("nan")]), "NaN"),
        (torch.tensor([0.0, 1.25]), r"not in \[0, 1.25\]"),
        (torch.tensor([-0.5, 1.0]), r"not in \[-0.5, 1\]"),
        (torch.tensor([float("inf")]), r"not in \[inf, inf\]"),
        (torch.tensor([3], dtype=torch.uint8), "torch.uint8"),
    ],
)
def test_what_is_off_the_range_is_refused(values, reason):
    with pytest.raises(InterpretError, match=reason):
        to_levels(values)
