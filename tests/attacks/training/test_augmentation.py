"""Pictures that are shifted and mirrored while a network is trained."""

import torch

from attacks.training.augmentation import crop_and_mirror


def test_crops_and_mirrors_are_drawn_from_the_generator():
    images = torch.rand(64, 3, 16, 24)
    twice = [crop_and_mirror(images, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*twice)
    assert not torch.equal(twice[0], crop_and_mirror(images, torch.Generator().manual_seed(4)))
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    shifts = set()
    for image, found in zip(padded, twice[0], strict=True):
        crops = {
            (row, column, mirrored): image[:, row : row + 16, column : column + 24]
            for row in range(5)
            for column in range(5)
            for mirrored in (False, True)
        }
        (where,) = [key for key, crop in crops.items() if torch.equal(crop.flip(2) if key[2] else crop, found)]
        shifts.add(where)
    assert {mirrored for *_, mirrored in shifts} == {False, True}
    assert {row for row, _, _ in shifts} == set(range(5))
    last = images.contiguous(memory_format=torch.channels_last)
    found = crop_and_mirror(last, torch.Generator().manual_seed(3))
    assert torch.equal(found, twice[0]) and found.is_contiguous(memory_format=torch.channels_last)
