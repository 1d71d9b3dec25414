"""What holds for every attack of the table."""

import inspect

import pytest
import torch

import attacks
from attacks import ATTACKS, attack_named
from tests.attack_nets import convnet, samples

# Few steps: the laws do not ask how strong an attack is.
FEW = {"steps": 4, "queries": 12, "search_steps": 2, "target_classes": 2, "population": 6, "restarts": 1}
USUAL = [name for name, kind in ATTACKS.items() if kind in ("eps", "least")]
BOUNDED = [name for name, kind in ATTACKS.items() if kind == "eps"]


def few(name, **settings):
    """The attack's arguments for a quick run."""
    known = inspect.signature(attack_named(name)).parameters
    return {key: value for key, value in {**FEW, "eps": 0.1, **settings}.items() if key in known}


def run(name, model, images, labels, **settings):
    return attack_named(name)(model, images, labels, **few(name, **settings))


def labels_of(model, images):
    with torch.no_grad():
        return model(images).argmax(1)


@pytest.fixture(autouse=True)
def _quiet(recwarn):
    """Attacks cut short may say so."""


def state_of(model, images):
    return (
        {name: value.clone() for name, value in model.state_dict().items()},
        [module.training for module in model.modules()],
        [(parameter.requires_grad, parameter.grad) for parameter in model.parameters()],
        [(len(module._forward_hooks), len(module._backward_hooks)) for module in model.modules()],
        torch.get_rng_state(),
        images.clone(),
        (torch.is_grad_enabled(), images.requires_grad, images.grad),
    )


def same(one, other):
    tensors = all(torch.equal(value, other[0][name]) for name, value in one[0].items())
    return tensors and one[1:4] == other[1:4] and torch.equal(one[4], other[4]) and torch.equal(one[5], other[5])


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.filterwarnings("ignore")
def test_everything_is_left_as_found(name):
    model, images = convnet(dtype=torch.float32), samples(3, (3, 6, 6), dtype=torch.float32)
    labels, before = labels_of(model, images), state_of(model, images)
    found = run(name, model, images, labels)
    assert same(before, state_of(model, images))
    assert found.shape == images.shape and found.dtype == images.dtype and not found.requires_grad
    assert found.min() >= 0 and found.max() <= 1 and found.data_ptr() != images.data_ptr()


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.filterwarnings("ignore")
def test_an_exception_leaves_everything_as_found(name):
    model, images = convnet(dtype=torch.float32), samples(3, (3, 6, 6), dtype=torch.float32)
    labels, before, calls = labels_of(model, images), state_of(model, images), []

    def breaking(points):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("out of paper")
        return model(points)

    try:
        run(name, breaking, images, labels)
    except RuntimeError as error:
        assert "paper" in str(error)
    assert same(before, state_of(model, images))


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.filterwarnings("ignore")
def test_how_the_caller_works_does_not_matter(name):
    model, images = convnet(), samples(3, (3, 6, 6))
    labels = labels_of(model, images)
    expected = run(name, model, images, labels)
    with torch.no_grad():
        assert torch.allclose(run(name, model, images, labels), expected, atol=1e-9)
    with torch.inference_mode():
        assert torch.allclose(run(name, model, images.clone(), labels.clone()), expected, atol=1e-9)
    strided = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert torch.allclose(run(name, model, strided, labels), expected, atol=1e-9)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    assert torch.allclose(run(name, model, images, labels), expected, atol=1e-9)


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.filterwarnings("ignore")
def test_a_run_repeats_and_no_sample_feels_its_neighbours(name):
    model, images = convnet(), samples(5, (3, 6, 6))
    labels = labels_of(model, images)
    together = run(name, model, images, labels)
    assert torch.equal(together, run(name, model, images, labels))
    if name == "universal":
        return  # its one perturbation is made from all samples
    alone = torch.cat([run(name, model, images[i : i + 1], labels[i : i + 1]) for i in range(5)])
    assert torch.allclose(together, alone, atol=1e-9, rtol=0)
    assert torch.allclose(together, run(name, model, images, labels, batch_size=2), atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_no_radius_changes_nothing(name, quantize):
    model, images = convnet(dtype=torch.float32), samples(3, (3, 6, 6), dtype=torch.float32)
    assert torch.equal(run(name, model, images, labels_of(model, images), eps=0.0, quantize=quantize), images)


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_the_bound_is_exact(name, quantize):
    model, images = convnet(dtype=torch.float32), torch.rand(4, 3, 6, 6)
    images[:, :, 0], images[:, :, 1] = 0, 1
    images = (images * 255).round() / 255
    found = run(name, model, images, labels_of(model, images), eps=0.07, quantize=quantize)
    assert found.min() >= 0 and found.max() <= 1
    assert (found.double() - images.double()).abs().max() <= (17 / 255 + 1e-7 if quantize else 0.07)
    if quantize:
        assert torch.equal(found, (found * 255).round() / 255)


@pytest.mark.parametrize("name", [name for name, kind in ATTACKS.items() if kind == "least"])
@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_who_cannot_be_fooled_is_returned_as_it_was(name, quantize):
    model, images = convnet(dtype=torch.float32), samples(3, (3, 6, 6), dtype=torch.float32)
    labels = labels_of(model, images)

    def stubborn(points):  # a tiny slope, and never another class
        logits = model(points) * 1e-3
        return logits + 100 * torch.nn.functional.one_hot(labels[:1], logits.shape[1])

    settings = few(name, quantize=quantize)
    found = attack_named(name)(stubborn, images[:1], labels[:1], **settings)
    assert torch.equal(found, images[:1])
    wrong = (labels + 1) % 5  # wrong already: nothing to do
    if "targeted" in inspect.signature(attack_named(name)).parameters and name not in ("lbfgs", "jsma"):
        assert torch.equal(attack_named(name)(model, images, wrong, **settings), images)


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.filterwarnings("ignore")
def test_wrong_labels_and_pictures_are_refused(name):
    model, images = convnet(dtype=torch.float32), samples(3, (3, 6, 6), dtype=torch.float32)
    for wrong in (
        dict(images=images * 2),
        dict(labels=torch.tensor([0])),
        dict(labels=torch.tensor([0, 1, -1])),
        dict(labels=torch.tensor([0, 1, 5])),
    ):
        given = {"images": images, "labels": labels_of(model, images), **wrong}
        with pytest.raises(attacks.AttackError):
            run(name, model, **given)


def test_the_table_and_the_package_agree():
    for name in ATTACKS:
        assert callable(getattr(attacks, name)) and getattr(attacks, name).__name__ == name
        assert name in attacks.__all__
