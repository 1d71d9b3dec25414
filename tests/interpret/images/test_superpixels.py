"""Pieces of a picture."""

import pytest
import torch

from interpret.images.superpixels import superpixels


@pytest.mark.parametrize("count", [1, 4, 20, 50])
@pytest.mark.parametrize("size", [(32, 32), (24, 60), (60, 17)])
def test_labels_have_no_gaps(size, count):
    labels = superpixels(torch.rand(3, *size), count)
    assert labels.shape == size and labels.dtype == torch.int64
    assert labels.unique().tolist() == list(range(int(labels.max()) + 1))
    assert count / 3 <= labels.max() + 1 <= 2 * count


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("axis", [0, 1])
def test_two_colours_are_divided_at_their_edge(axis, channels):
    image = torch.full((channels, 30, 40), 0.2)
    image.narrow(axis + 1, 13, image.shape[axis + 1] - 13).fill_(0.8)  # beside the grid of the centres
    labels = superpixels(image, 12)
    dark, light = labels[image[0] < 0.5].unique().tolist(), labels[image[0] > 0.5].unique().tolist()
    assert not set(dark) & set(light)
    assert dark and light


def test_a_plain_picture_is_divided_into_a_grid():
    labels = superpixels(torch.zeros(3, 40, 40), 16)
    # Pixels halfway between two centres may fall to either.
    assert all(64 <= size <= 144 for size in labels.flatten().bincount().tolist())
    assert torch.equal(labels[5::10, 5::10], torch.arange(16).view(4, 4))


def test_compactness_weighs_place_against_colour():
    torch.manual_seed(0)
    noise = torch.rand(3, 32, 32)

    def edges(labels):
        return int((labels[:, 1:] != labels[:, :-1]).sum() + (labels[1:] != labels[:-1]).sum())

    ragged, compact = (edges(superpixels(noise, 16, compactness=value)) for value in (0.05, 10.0))
    assert compact < ragged / 2


def test_the_same_picture_gives_the_same_pieces_and_is_left_alone():
    image = torch.rand(3, 20, 20, dtype=torch.float64)
    copied = image.clone()
    assert torch.equal(superpixels(image, 9), superpixels(image, 9))
    assert torch.equal(image, copied)
