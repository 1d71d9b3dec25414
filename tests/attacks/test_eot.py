"""Expectation over transformation, and print and photograph."""

import pytest
import torch

from attacks import PRINT_AND_PHOTOGRAPH, AttackError, destruction_rate, eot, pgd, physical
from attacks.transforms.random_transforms import contrast, jpeg
from interpret import read
from tests.attack_nets import convnet, linear, samples

HALVED = (contrast(0.5, 0.5),)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_without_transforms_it_is_pgd(norm):
    model, images = linear((3, 4)), samples(3, (3, 4))
    labels = model(images).argmax(1)
    found = eot(model, images, labels, eps=0.1, norm=norm, transforms=(), samples=2, steps=7)
    expected = pgd(model, images, labels, eps=0.1, norm=norm, steps=7, random_start=False)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("shape", [(12,), (3, 4), (3, 2, 2)])
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_least_eps_through_a_transform(shape, targeted, norm):
    model, images = linear(shape, classes=2), samples(30, shape)
    with torch.no_grad():
        model[1].bias.copy_(-model[1].weight.sum(1) / 2)  # both classes are near
    weight = model[1].weight[1] - model[1].weight[0]

    def seen(points):
        return model((points - 0.5) * 0.5 + 0.5)

    labels = seen(images).argmax(1)
    gap = seen(images).diff(dim=1)[:, 0].abs()
    least = gap / (0.5 * weight.norm(p=1 if norm == "Linf" else 2))
    kept = (least > 0.01) & (least < 0.15)  # the box is not in the way
    images, labels, least = images[kept], labels[kept], least[kept].detach()
    assert len(labels.unique()) == 2
    for share, fools in ((0.95, False), (1.05, True)):
        options = {"eps": least * share, "norm": norm, "transforms": HALVED, "targeted": targeted}
        wanted = 1 - labels if targeted else labels
        found = eot(model, images, wanted, **options, samples=2, steps=20)
        assert ((seen(found).argmax(1) != labels) == fools).all()


def test_steps_follow_the_mean_over_views():
    """Of two views, one shows a value that speaks weakly against the label, the other two strongly for it."""
    weight = torch.tensor([[0.0, 0, 0], [3.0, -1.0, -1.0]], dtype=torch.float64)
    turns = iter([0, 1] * 10)

    def one_side(points, noise):
        return points * (torch.tensor([1.0, 0, 0]) if next(turns) else torch.tensor([0.0, 1, 1]))

    images = torch.full((1, 3), 0.5, dtype=torch.float64)
    labels = torch.tensor([0])
    found = eot(lambda points: points @ weight.T, images, labels, eps=0.1, transforms=(one_side,), samples=2, steps=10)
    torch.testing.assert_close(found, images + torch.tensor([[0.1, -0.1, -0.1]]), atol=1e-7, rtol=0)


def test_memory_does_not_grow_with_the_samples():
    model, images, sizes = convnet(), samples(2, (3, 6, 6)), []

    def counted(points):
        sizes.append(len(points))
        return model(points)

    eot(counted, images, torch.tensor([0, 1]), samples=5, steps=3)
    assert sizes == [2] * 15


def test_what_cannot_be_attacked_is_refused():
    model, images = linear((5,)), samples(2, (5,))
    for attack in (eot, physical):
        with pytest.raises(AttackError, match="takes pictures"):
            attack(model, images)
    with pytest.raises(AttackError, match="samples is a whole number of 1 or more"):
        eot(model, images, transforms=(), samples=0)


def test_print_and_photograph_destroy_less_than_of_pgd(squeezenet):
    photos = [read(f"sample:{name}") for name in ("giant-panda", "lemur", "koala")]
    images = torch.cat([squeezenet.prepare(photo)[0] for photo in photos]).clamp(0, 1)
    images, model = (images * 255).round() / 255, squeezenet.on_inputs()
    labels = model(images).argmax(1)
    options = {"eps": 8 / 255, "steps": 6, "quantize": True}
    plain = pgd(model, images, labels, **options)
    sturdy = physical(model, images, labels, samples=1, **options)
    rates = [
        destruction_rate(model, images, found, labels, PRINT_AND_PHOTOGRAPH, draws=3, seed=99)
        for found in (plain, sturdy)
    ]
    assert rates[0] > 0.3 and rates[1] < 0.1
    kept = destruction_rate(model, images, plain, labels, [jpeg((100, 100), subsample=False)])
    assert kept < rates[0]
