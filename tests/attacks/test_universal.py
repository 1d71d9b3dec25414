"""One perturbation for all: closed forms, and samples that were held out."""

import pytest
import torch

from attacks import AttackError, BudgetWarning, universal, universal_perturbation
from attacks.core.minibatches import SharedSamples
from attacks.core.seeds import Noise
from tests.attack_nets import convnet, linear, samples


def one_class(shape, count=12):
    """Samples that a linear model of two classes sees alike, the model, and their least Linf and L2 distances."""
    model, images = linear(shape, classes=2), samples(60, shape)
    kept = images[model(images).argmax(1) == model(images[:1]).argmax(1)][:count]
    gap = model(kept).diff(dim=1)[:, 0].abs().detach()
    weight = (model[1].weight[1] - model[1].weight[0]).detach()
    return model, kept, gap / weight.norm(p=1), gap / weight.norm(p=2)


@pytest.mark.parametrize("shape", [(12,), (3, 4), (3, 2, 2)])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("targeted", [False, True])
def test_of_a_linear_model_it_is_the_steepest_direction(shape, norm, targeted):
    model, images, linf, l2 = one_class(shape)
    labels = model(images).argmax(1)
    least = linf if norm == "Linf" else l2
    eps = float(least.median())
    options = {"eps": eps, "norm": norm, "transforms": (), "targeted": targeted, "steps": 60}
    delta = universal_perturbation(model, images, 1 - labels if targeted else labels, **options)
    weight = (model[1].weight[1] - model[1].weight[0]).detach().view(shape) * (1 - 2 * labels[0])
    steepest = weight.sign() if norm == "Linf" else weight / weight.norm()
    torch.testing.assert_close(delta, eps * steepest, atol=1e-3 * eps, rtol=0)
    # So it fools exactly those whose own least perturbation is no longer.
    fooled = model(images + delta).argmax(1) != labels
    assert fooled[least < 0.95 * eps].all() and not fooled[least > 1.05 * eps].any()


def test_it_fools_samples_that_it_has_not_seen():
    model, images, linf, _ = one_class((3, 4), count=20)
    eps = float(linf.max()) * 1.05
    delta = universal_perturbation(model, images[:5], eps=eps, transforms=())
    assert (model((images[5:] + delta).clamp(0, 1)).argmax(1) != model(images[5:]).argmax(1)).all()


def test_all_samples_get_the_same_perturbation():
    model, images = convnet(), samples(6, (3, 8, 8))
    found = universal(model, images, eps=0.1, steps=10)
    delta = universal_perturbation(model, images, eps=0.1, steps=10)
    torch.testing.assert_close(found, images + delta)
    assert delta.shape == images.shape[1:] and delta.abs().max() > 0.05


def test_the_limit_leaves_thoroughly_fooled_samples_alone():
    """Three samples that pull hard one way and are soon fooled, and one that needs the other way."""

    def model(points):
        return torch.stack([points[:, 0] * 0, 40 * (points[:, 0] - 0.45) + points[:, 1] * 0], 1)

    images = torch.tensor([[0.44, 0.5]] * 3 + [[0.47, 0.5]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 0, 1])
    free, cut = (
        universal_perturbation(model, images, labels, eps=0.2, transforms=(), limit=limit, steps=80, step_size=0.01)
        for limit in (torch.inf, 0.2)
    )
    assert free[0] > 0.19 and 0 < cut[0] < 0.05


def test_minibatches_go_round():
    def shared(count):
        return SharedSamples(torch.zeros(count, 1), torch.zeros(count), Noise.of(0, torch.zeros(count, 1)))

    numbers = list(shared(7).minibatches(3, 4))
    assert [len(some) for some in numbers] == [3] * 4
    for round_of_two in (numbers[:2], numbers[2:]):
        assert len(torch.cat(round_of_two).unique()) == 6
    assert sorted(next(shared(2).minibatches(9, 1)).tolist()) == [0, 1]


def test_what_cannot_be_attacked_is_refused():
    model, images = linear((5,)), samples(3, (5,))
    with pytest.raises(AttackError, match="one eps"):
        universal_perturbation(model, images, eps=torch.full((3,), 0.1))
    with pytest.raises(AttackError, match="1 or more"):
        universal_perturbation(model, images, pictures=0)
    with pytest.raises(AttackError, match="1 or more"):
        universal_perturbation(model, images[:0])


def test_a_target_out_of_reach_is_said_with_the_eps_that_would_do():
    def model(points):
        lead = points.sum(1) - 3
        return torch.stack([-lead, lead], 1)

    images, labels = torch.full((4, 5), 0.5, dtype=torch.float64), torch.ones(4, dtype=torch.long)
    with pytest.warns(BudgetWarning, match="none of 4 samples by an eps of 0.04; an eps of 0.12 would reach 4"):
        universal_perturbation(model, images, labels, targeted=True, eps=0.04, steps=30)
    with pytest.warns(BudgetWarning, match="nor would the same change, made larger"):
        universal_perturbation(model, images, labels, targeted=True, eps=0.001, steps=30)
    universal_perturbation(model, images, labels, targeted=True, eps=0.2, steps=30)
