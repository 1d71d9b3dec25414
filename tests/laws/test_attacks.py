"""What holds for every attack of the table."""

import inspect
from itertools import product

import pytest
import torch

import attacks
from attacks import ATTACKS, AttackError, attack_named
from attacks.core.norms import NORMS
from tests.attack_nets import Rowwise, convnet, linear, predictions, samples
from tests.state import left_as_found

# Few steps: these laws do not ask how strong an attack is.
FEW = {"steps": 4, "queries": 12, "searches": 2, "target_classes": 2, "population": 6, "samples": 2, "pictures": 2}
STRONG = {"steps": 30, "queries": 60, "searches": 6, "target_classes": 1, "population": 60, "pictures": 6, "eps": 0.3}
ALONE = [name for name, kind in ATTACKS.items() if kind in ("eps", "minimum_norm", "pixels")]
BOUNDED = [name for name, kind in ATTACKS.items() if kind == "eps" or name in ("universal", "explanation")]
KINDS = (
    {},
    {"norm": "L2", "eps": 0.4},
    {"restarts": 2, "stop_when_fooled": True, "eps": 0.05},
    {"restarts": 2, "target_classes": 0},
    {"random_start": True, "quantize": True},
)
RADII = {"Linf": 0.07, "L2": 0.4, "L1": 1.5, "L0": 4.0}
ALL_NORMS, THREE_NORMS = ("fgsm", "pgd"), ("mifgsm", "eot")
pytestmark = pytest.mark.filterwarnings("ignore:not the standard AutoAttack")

every = pytest.mark.parametrize("name", ATTACKS)


def options_of(name):
    return inspect.signature(attack_named(name)).parameters


def run(name, model, images, labels, **settings):
    """An attack with those of the settings that it knows."""
    given = {"eps": 0.1, **FEW, **settings}
    if name == "explanation":
        corner = torch.zeros(1, 1, *images.shape[2:], dtype=images.dtype)
        corner[..., :2, :2] = 1
        given |= {"explain": lambda points: points.mean(1, keepdim=True), "goal": corner}
    known = options_of(name)
    return attack_named(name)(model, images, labels, **{key: value for key, value in given.items() if key in known})


def net_and_samples(count=3, dtype=torch.float64):
    """A network, samples, and the classes that it sees."""
    model, images = convnet(dtype=dtype), samples(count, (3, 6, 6), dtype=dtype)
    return model, images, predictions(model, images)


@every
def test_everything_is_left_as_found(name):
    model, images, labels = net_and_samples(dtype=torch.float32)
    model.train()[1].eval()  # a state nobody would set up by hand, but it is the user's
    model[0].weight.grad = torch.ones_like(model[0].weight)
    model[3].weight.requires_grad_(False)
    with left_as_found(model, images, labels):
        found = run(name, model, images, labels)
    assert found.shape == images.shape and found.dtype == images.dtype and not found.requires_grad
    assert found.min() >= 0 and found.max() <= 1 and found.data_ptr() != images.data_ptr()


@every
def test_an_exception_leaves_everything_as_found(name):
    model, images, labels = net_and_samples(dtype=torch.float32)
    calls = []

    def counted(points):
        calls.append(len(points))
        return model(points)

    run(name, counted, images, labels)
    last = len(calls)

    def breaking(points):
        if len(calls) == 2 * last - 1:
            raise RuntimeError("out of paper")
        return counted(points)

    with pytest.raises(RuntimeError, match="out of paper"), left_as_found(model, images, labels):
        run(name, breaking, images, labels)


@every
def test_how_the_caller_works_does_not_matter(name):
    model, images, labels = net_and_samples()
    expected = run(name, model, images, labels)
    with torch.no_grad():
        assert torch.allclose(run(name, model, images, labels), expected, atol=1e-9)
    with torch.inference_mode():
        assert torch.allclose(run(name, model, images.clone(), labels.clone()), expected, atol=1e-9)
    strided = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert torch.allclose(run(name, model, strided, labels), expected, atol=1e-6)
    model.requires_grad_(False)
    assert torch.allclose(run(name, model, images, labels), expected, atol=1e-9)


@every
def test_a_run_repeats(name):
    model, images, labels = net_and_samples()
    assert torch.equal(run(name, model, images, labels, seed=3), run(name, model, images, labels, seed=3))


@pytest.mark.parametrize(
    "name, kind",
    [
        (name, kind)
        for name, kind in product([*ALONE, "explanation"], KINDS)
        if not kind or set(kind) - {"eps"} <= set(options_of(name))
    ],
)
def test_no_sample_depends_on_its_neighbours(name, kind):
    model, images = Rowwise(), samples(5, (3, 6, 6))
    labels, kind = predictions(model, images), {"seed": 3, **kind}
    labels[2] = (labels[2] + 1) % 5  # one that is wrong before
    together = run(name, model, images, labels, **kind)
    alone = [run(name, model, images[i : i + 1], labels[i : i + 1], **kind) for i in range(5)]
    assert torch.equal(together, torch.cat(alone))
    for batch_size in (1, 3):
        assert torch.equal(together, run(name, model, images, labels, batch_size=batch_size, **kind))
    order = torch.tensor([4, 1, 0, 2, 3])
    assert torch.equal(together[order], run(name, model, images[order], labels[order], **kind))


@pytest.mark.parametrize("name", ALONE)
def test_no_samples_are_no_results(name):
    found = run(name, convnet(), samples(0, (3, 6, 6)), torch.zeros(0, dtype=torch.long))
    assert found.shape == (0, 3, 6, 6)


@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.parametrize("name", BOUNDED)
def test_no_radius_changes_nothing(name, quantize):
    model, images, labels = net_and_samples(dtype=torch.float32)
    assert torch.equal(run(name, model, images, labels, eps=0.0, quantize=quantize), images)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.parametrize(
    "name, norm",
    [
        (name, norm)
        for name, norm in product(BOUNDED, NORMS)
        if norm == "Linf"
        or (
            "norm" in options_of(name)
            and (norm == "L2" or name in ALL_NORMS or (norm, name in THREE_NORMS) == ("L1", True))
        )
    ],
)
def test_the_bound_is_exact(name, norm, quantize, dtype):
    model, images = convnet(dtype=dtype), torch.rand(5, 3, 6, 6, dtype=dtype)
    images[:, :, 0], images[:, :, 1] = 0, 1  # at the ends of the box too
    images = (images * 255).round() / 255
    eps = RADII[norm] if name == "universal" else torch.linspace(0.3, 1, 5, dtype=torch.float64) * RADII[norm]
    settings = {"eps": eps, "norm": norm, "quantize": quantize, "restarts": 2}
    found = run(name, model, images, predictions(model, images), **settings)
    assert found.min() >= 0 and found.max() <= 1
    if norm == "Linf" and quantize:
        levels = ((found * 255).round() - (images * 255).round()).flatten(1).abs().amax(1)
        assert (levels <= (eps * 255 + 1e-4) // 1).all()
    else:
        assert (NORMS[norm].size(found.double() - images.double()) <= eps).all()
    if quantize:
        assert torch.equal(found, (found * 255).round() / 255)
    assert name in ("square", "autoattack") or not torch.equal(found, images)  # those two may find nothing better


@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.parametrize("name", [name for name in ALONE if name not in BOUNDED])
def test_where_nothing_fools_or_nothing_needs_to_the_image_is_returned(name, quantize):
    model, images, labels = net_and_samples(dtype=torch.float32)

    def stubborn(points):  # a tiny slope, and never another class
        return model(points) * 1e-3 + 100 * torch.nn.functional.one_hot(labels[:1], 5)

    assert torch.equal(run(name, stubborn, images[:1], labels[:1], quantize=quantize), images[:1])
    wrong = (labels + 1) % 5
    assert torch.equal(run(name, model, images, wrong, quantize=quantize), images)
    assert torch.equal(run(name, model, images, labels, targeted=True, target_classes=0, quantize=quantize), images)


@pytest.mark.parametrize("scale, shift", [(1, -50), (1000, 0), (1e-3, 0)])
@pytest.mark.parametrize("name", [name for name in ALONE if name != "physical"])  # its views weigh by their logits
def test_neither_a_shift_nor_a_scale_of_the_logits_protects(name, scale, shift):
    model, images = linear((3, 4, 4), 2), samples(6, (3, 4, 4))
    labels = predictions(model, images)
    plain = run(name, model, images, labels, **STRONG)
    found = run(name, lambda points: scale * model(points) + shift, images, labels, **STRONG)
    fooled = predictions(model, found) != labels
    assert fooled.any() and fooled.sum() >= (predictions(model, plain) != labels).sum()
    if ATTACKS[name] == "minimum_norm":
        assert fooled.all() or name == "jsma"
        assert (NORMS["L2"].size(found - images) <= 1.05 * NORMS["L2"].size(plain - images)).all()


@every
@pytest.mark.parametrize(
    "wrong",
    [
        {"images": samples(3, (3, 6, 6), dtype=torch.float32) * 2},
        {"labels": torch.tensor([0])},
        {"labels": torch.tensor([0, 1, -1])},
        {"labels": torch.tensor([0, 1, 5])},
        {"labels": torch.tensor([0.0, 1, 2])},
    ],
    ids=["above one", "few", "below", "above", "fractions"],
)
def test_wrong_labels_and_images_are_refused(name, wrong):
    model, images, labels = net_and_samples(dtype=torch.float32)
    with pytest.raises(AttackError):
        run(name, model, **{"images": images, "labels": labels, **wrong})


def test_the_table_and_the_package_agree():
    for name in ATTACKS:
        assert callable(getattr(attacks, name)) and getattr(attacks, name).__name__ == name
        assert name in attacks.__all__


def test_every_setting_of_these_laws_is_an_option_of_some_attack():
    known = {option for name in ATTACKS for option in options_of(name)}
    assert {*FEW, *STRONG, *(option for kind in KINDS for option in kind)} <= known
