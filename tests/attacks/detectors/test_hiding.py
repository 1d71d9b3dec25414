"""A patch that hides objects: it lowers a detector's scores, stays in its place and in [0, 1]."""

import pytest
import torch
from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSHead

from attacks import AttackError, hiding_patch_laid, missed, train_hiding_patch

BOXES = [torch.tensor([[4.0, 6, 24, 26]]), torch.tensor([[20.0, 2, 31, 30], [1, 1, 9, 9]])]


@pytest.fixture(scope="module")
def detector():
    """Torchvision's FCOS with random weights, which shows all that it finds."""
    torch.manual_seed(0)
    features = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), nn.ReLU(), nn.Conv2d(8, 32, 3, 1, 1))
    features.out_channels = 32
    made = FCOS(
        features,
        3,
        min_size=32,
        max_size=32,
        anchor_generator=AnchorGenerator(((8,),), ((1.0,),)),
        head=FCOSHead(32, 1, 3, num_convs=1),
        score_thresh=0.0,
    )
    made.head.regression_head.bbox_reg.bias.data.fill_(1)  # boxes of some size
    return made.eval().requires_grad_(False)


def pictures():
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_what_is_lowered_falls(detector):
    told = []
    options = {"steps": 12, "pictures": 2, "side": 8, "share": 0.5}
    patch = train_hiding_patch(detector, pictures(), BOXES, watch=lambda step, loss: told.append(loss), **options)
    assert patch.shape == (3, 8, 8) and patch.min() >= 0 and patch.max() <= 1
    assert told[-1] < told[0] and len(told) == 12
    assert torch.equal(patch, train_hiding_patch(detector, pictures(), BOXES, **options))


def test_the_patch_stays_in_its_place():
    images, patch = pictures(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    laid = hiding_patch_laid(images, BOXES, patch, share=0.25)
    changed = (laid != images).any(1)
    inside = torch.zeros_like(changed)
    inside[0, 11:21, 9:19] = True  # half the side of 20, in the middle
    assert torch.equal(changed[0], inside[0])
    assert changed[1, 3:7, 3:7].all() and not changed[1, :, 10:20].any()
    assert laid.min() >= 0 and laid.max() <= 1
    beyond = hiding_patch_laid(images[:1], [torch.tensor([[-10.0, -10, 10, 10]])], patch, share=1.0)
    assert (beyond != images[:1]).any(1)[0, :10, :10].all() and torch.equal(beyond[..., 10:], images[:1, ..., 10:])


def test_what_is_missed_is_counted():
    def finds_one(images):
        box = {"boxes": torch.tensor([[4.0, 6, 24, 26]]), "labels": torch.tensor([1])}
        return [{**box, "scores": torch.tensor([0.9])}, {**box, "scores": torch.tensor([0.4])}]

    assert missed(finds_one, pictures(), BOXES) == (2, 3)


def test_what_is_refused(detector):
    with pytest.raises(AttackError, match="boxes of each"):
        train_hiding_patch(detector, pictures(), BOXES[:1])
    with pytest.raises(AttackError, match=r"the shape \(k, 4\)"):
        missed(detector, pictures()[:1], [torch.zeros(4)])
    with pytest.raises(AttackError, match="share is a number above 0"):
        train_hiding_patch(detector, pictures(), BOXES, share=0.0)
    with pytest.raises(AttackError, match="do not depend on the picture"):
        silent = {"boxes": BOXES[0], "scores": torch.tensor([0.5]), "labels": torch.tensor([1])}
        train_hiding_patch(lambda images: [silent] * len(images), pictures(), BOXES, steps=1)
