"""The adversarial patch: where it lies, and what it becomes on networks with known answers."""

import math

import pytest
import torch

import attacks
from attacks import AttackError, BudgetWarning, apply_patch, train_patch
from tests.attack_nets import convnet, samples


def colours(points):
    """Logits of the classes red, green and blue: how much of it there is, in thousandths."""
    return points.mean((2, 3)) * 10


def ramp(side=32):
    """Red to the right, green to the bottom."""
    across = torch.linspace(0.2, 0.8, side).expand(side, side)
    return torch.stack([across, across.T, torch.full_like(across, 0.5)])


def covered(images, **options):
    """(N, H, W) where a patch lies."""
    return (apply_patch(images, torch.ones(3, 9, 9), **options) != images).any(1)


@pytest.mark.parametrize("shape", ["circle", "square"])
@pytest.mark.parametrize("size", [(64, 64), (60, 100), (100, 60)])
def test_it_covers_its_share_wholly_inside(shape, size):
    images = torch.zeros(30, 3, *size)
    for share, degrees in ((0.25, 0), (0.1, 45), (0.03, 180)):
        mask = covered(images, share=share, shape=shape, degrees=degrees, seed=3)
        areas = mask.float().mean((1, 2))
        assert ((areas / share - 1).abs() < 0.08).all()
        places = mask.float().flatten(1).argmax(1)
        assert len(places.unique()) > 15
    areas = covered(images, share=(0.05, 0.2), shape=shape).float().mean((1, 2))
    assert 0.045 < areas.min() < 0.09 and 0.15 < areas.max() < 0.21


def test_places_are_all_over_the_picture():
    mask = covered(torch.zeros(300, 3, 32, 32), share=0.05, shape="square", degrees=0).float().mean(0)
    assert mask[4:-4, 4:-4].min() > 0 and mask[:3].max() > 0 and mask[:, -3:].max() > 0


def test_outside_the_patch_nothing_changes_and_inside_it_is_the_patch():
    images = torch.rand(5, 3, 48, 64)
    laid = apply_patch(images, ramp(), share=0.2, degrees=0, shape="square", seed=8)
    for before, after in zip(images, laid, strict=True):
        changed = (before != after).any(0)
        rows, columns = changed.any(1).nonzero().flatten(), changed.any(0).nonzero().flatten()
        box = after[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert torch.equal(before[:, ~changed], after[:, ~changed])
        assert abs(box.shape[1] - math.sqrt(0.2 * 48 * 64)) <= 1 and abs(box.shape[1] - box.shape[2]) <= 1
        assert box[0, 5, 0] < 0.25 and box[0, 5, -1] > 0.75 and box[1, 0, 5] < 0.25 and box[1, -1, 5] > 0.75


def test_turns_are_at_most_as_far_as_asked():
    images = torch.zeros(40, 3, 64, 64)
    laid = apply_patch(images, ramp(), share=0.3, degrees=30)
    angles = []
    for picture in laid:
        inside = (picture[2] > 0.4)[1:-1, 1:-1]
        inside &= ((picture[2] > 0.4).float().unfold(0, 3, 1).unfold(1, 3, 1).mean((2, 3))) == 1
        right = (picture[0, 1:-1, 2:] - picture[0, 1:-1, :-2])[inside].mean()
        down = (picture[0, 2:, 1:-1] - picture[0, :-2, 1:-1])[inside].mean()
        angles.append(math.degrees(math.atan2(down, right)))
    assert -31 < min(angles) < -20 and 20 < max(angles) < 31


def test_one_seed_each_and_repetition():
    images = torch.rand(4, 3, 30, 30)
    laid = apply_patch(images, ramp(), seed=[5, 6, 7, 8])
    assert torch.equal(laid[2:3], apply_patch(images[2:3], ramp(), seed=[7]))
    assert torch.equal(apply_patch(images, ramp(), seed=1), apply_patch(images, ramp(), seed=1))
    assert not torch.equal(apply_patch(images, ramp(), seed=1), apply_patch(images, ramp(), seed=2))


@pytest.mark.parametrize("targeted", [True, False])
@pytest.mark.parametrize("shape", ["circle", "square"])
def test_the_reddest_patch_is_red(targeted, shape):
    images = samples(6, (3, 24, 24), dtype=torch.float32)
    wanted = torch.full((6,), 0 if targeted else 2)
    options = {"targeted": targeted, "shape": shape, "steps": 60, "smoothness": 0, "degrees": 0}
    made = train_patch(colours, images, wanted, **options)
    middle = made[:, 5:-5, 5:-5]
    assert middle.shape[1] > 1 and made.shape[1] == made.shape[2]
    assert (middle[2] < 0.01).all()
    assert (middle[0] > 0.99).all() and (not targeted or (middle[1] < 0.01).all())
    seen = colours(apply_patch(images, made, shape=shape, seed=50)).argmax(1)
    assert ((seen == 0) if targeted else (seen != 2)).all()


def test_smoothness_makes_it_smoother():
    model, images = convnet(dtype=torch.float32), samples(4, (3, 20, 20), dtype=torch.float32)
    rough, smooth = (
        train_patch(model, images, torch.full((4,), 2), targeted=True, steps=40, smoothness=weight)
        for weight in (0.0, 100.0)
    )

    def variation(made):
        return made.diff(dim=1).abs().mean() + made.diff(dim=2).abs().mean()

    assert variation(smooth) < 0.5 * variation(rough)


def test_the_attack_lays_the_trained_patch():
    images = samples(5, (3, 24, 24), dtype=torch.float32)
    labels = torch.full((5,), 1)
    found = attacks.patch(colours, images, labels, targeted=True, steps=30)
    assert (colours(found).argmax(1) == 1).all()
    made = train_patch(colours, images, labels, targeted=True, steps=30)
    assert torch.equal(found, apply_patch(images, made))


def test_what_does_not_fit_is_refused():
    images = torch.rand(2, 3, 20, 30)
    for options in ({"share": 0.9}, {"share": 0}, {"share": (0.3, 0.1)}, {"shape": "star"}):
        with pytest.raises(AttackError):
            apply_patch(images, ramp(), **options)
        with pytest.raises(AttackError):
            train_patch(colours, images, torch.tensor([0, 1]), **options)
    with pytest.raises(AttackError, match="side"):
        apply_patch(images, ramp()[:1])
    with pytest.raises(AttackError, match="takes pictures"):
        train_patch(colours, torch.rand(2, 5), torch.tensor([0, 1]))
    with pytest.raises(AttackError, match="1 or more"):
        train_patch(colours, images, torch.tensor([0, 1]), steps=0)


def test_a_target_out_of_reach_is_said_with_the_share_that_would_do():
    def model(points):
        lead = points.mean((1, 2, 3)) - 0.3
        return torch.stack([-lead, lead], 1)

    images, labels = torch.zeros(3, 3, 20, 20), torch.ones(3, dtype=torch.long)
    with pytest.warns(BudgetWarning, match=r"none of 3 samples by a share of 0.12; a share of 0.36 would reach 3"):
        train_patch(model, images, labels, targeted=True, share=0.12, steps=40, smoothness=0)
    train_patch(model, images, labels, targeted=True, share=0.5, steps=40, smoothness=0)
