"""What holds for every attack of the table."""

import inspect
from itertools import product

import pytest
import torch

import attacks
from attacks import ATTACKS, AttackError, GradientWarning, attack_named
from attacks.core.norms import NORMS
from tests.attack_nets import Rowwise, convnet, linear, predictions, samples
from tests.state import left_as_found

# Few steps: most laws do not ask how strong an attack is.
FEW = {"steps": 4, "queries": 12, "searches": 2, "target_classes": 2, "population": 6, "samples": 2, "pictures": 2}
STRONG = {"steps": 30, "queries": 60, "searches": 6, "target_classes": 1, "population": 60, "pictures": 6, "eps": 0.3}
KINDS = (
    {},
    {"norm": "L2", "eps": 0.4},
    {"restarts": 2, "stop_when_fooled": True, "eps": 0.05},
    {"restarts": 2, "target_classes": 0},
    {"random_start": True, "quantize": True},
    {"seed": [3, 1, 4, 1, 5]},
)
RADII = {"Linf": 0.2, "L2": 1.5, "L1": 6.0, "L0": 12.0}
MORE_NORMS = dict.fromkeys(("fgsm", "pgd"), tuple(NORMS)) | dict.fromkeys(("mifgsm", "eot"), ("Linf", "L2", "L1"))
pytestmark = pytest.mark.filterwarnings("ignore:not the standard AutoAttack")


def options_of(name):
    return inspect.signature(attack_named(name)).parameters


def of_kind(*kinds):
    return [name for name, kind in ATTACKS.items() if kind in kinds]


def with_option(option):
    return [name for name in ATTACKS if option in options_of(name)]


def norms_of(name):
    return MORE_NORMS.get(name, ("Linf", "L2") if "norm" in options_of(name) else ("Linf",))


ALONE, SHARED = of_kind("eps", "minimum_norm", "pixels"), of_kind("shared")
SMALLEST = of_kind("minimum_norm", "pixels")  # these give the image itself back where nothing else fools
BLIND = ("square", "hopskipjump", "one_pixel")  # these use no gradients

every = pytest.mark.parametrize("name", ATTACKS)


def run(name, model, images, labels, **settings):
    """An attack with those of the settings that it knows."""
    given = {"eps": 0.1, **FEW, **settings}
    if name == "explanation":
        like = torch.as_tensor(images)
        corner = torch.zeros(1, 1, *like.shape[2:], dtype=like.dtype)
        corner[..., :2, :2] = 1
        given |= {"explain": lambda points: points.mean(1, keepdim=True), "goal": corner}
    known = options_of(name)
    return attack_named(name)(model, images, labels, **{key: value for key, value in given.items() if key in known})


def net_and_samples(dtype=torch.float64):
    """A network, three samples, and the classes that it sees."""
    model, images = convnet(dtype=dtype), samples(3, (3, 6, 6), dtype=dtype)
    return model, images, predictions(model, images)


@every
def test_everything_is_left_as_found(name):
    model, images, labels = net_and_samples(torch.float32)
    model.train()[1].eval()  # a state nobody would set up by hand, but it is the user's
    model[0].weight.grad = torch.ones_like(model[0].weight)
    model[3].weight.requires_grad_(False)
    with left_as_found(model, images, labels):
        found = run(name, model, images, labels)
    assert found.shape == images.shape and found.dtype == images.dtype and not found.requires_grad
    assert found.min() >= 0 and found.max() <= 1 and found.data_ptr() != images.data_ptr()


@every
def test_an_exception_leaves_everything_as_found(name):
    model, images, labels = net_and_samples(torch.float32)
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
def test_a_run_repeats_whatever_else_draws_random_numbers(name):
    model, images, labels = net_and_samples()
    first = run(name, model, images, labels, seed=3)
    torch.rand(5)
    assert torch.equal(first, run(name, model, images, labels, seed=3))


@pytest.mark.parametrize("name", with_option("seed"))
def test_another_seed_is_another_search(name):
    model, images = convnet(), samples(6, (3, 12, 12))
    one, other = (run(name, model, images, None, seed=seed, random_start=True, steps=12) for seed in (0, 1))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("name", [name for name in with_option("seed") if name in ALONE])
def test_one_seed_starts_every_sample_at_its_own(name):
    images, asked = samples(3, (3, 8, 8)) / 2 + 0.25, []

    def model(points):
        asked.append(points.detach().clone())
        return points.flatten(1)[:, :3] * 1e-3 + torch.tensor([1.0, 0.0, 0.0])

    labels, options = torch.zeros(3, dtype=torch.long), {"random_start": True, "batch_size": 6}
    together = run(name, model, images, labels, seed=3, **options)
    moved = [points - image for points in asked for image, points in zip(images, points, strict=False)]
    moved = [delta.sign() for delta in moved if delta.abs().max() > 0][:3]
    assert len(moved) == 3 and not any(torch.equal(moved[0], other) for other in moved[1:])
    alone = [run(name, model, images[i : i + 1], labels[:1], seed=3, **options) for i in range(3)]
    assert torch.equal(together, torch.cat(alone))


@pytest.mark.parametrize(
    "name, kind",
    [
        (name, kind)
        for name, kind in product([*ALONE, "explanation"], KINDS)
        if set(kind) - {"eps"} <= set(options_of(name))
    ],
)
def test_no_sample_depends_on_its_neighbours(name, kind):
    model, images = Rowwise(), samples(5, (3, 6, 6))
    labels, kind = predictions(model, images), {"seed": 3, **kind}
    labels[2] = (labels[2] + 1) % 5  # one that is wrong before

    def found_for(*rows, **settings):
        own = {key: [value[row] for row in rows] if isinstance(value, list) else value for key, value in kind.items()}
        return run(name, model, images[list(rows)], labels[list(rows)], **own, **settings)

    together = found_for(*range(5))
    assert torch.equal(together, torch.cat([found_for(row) for row in range(5)]))
    for batch_size in (1, 3):
        assert torch.equal(together, found_for(*range(5), batch_size=batch_size))
    order = (4, 1, 0, 2, 3)
    assert torch.equal(together[list(order)], found_for(*order))


@pytest.mark.parametrize("name", SHARED)
def test_what_serves_all_samples_may_be_made_of_a_few_at_a_time(name):
    model, images = convnet(), samples(7, (3, 12, 12))
    whole, parts = (run(name, model, images, None, pictures=5, batch_size=size) for size in (None, 2))
    torch.testing.assert_close(parts, whole, atol=1e-9, rtol=0)


@every
def test_no_samples_are_no_results(name):
    found = run(name, convnet(), samples(0, (3, 6, 6)), torch.zeros(0, dtype=torch.long))
    assert found.shape == (0, 3, 6, 6)


@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.parametrize("name", with_option("eps"))
def test_no_radius_changes_nothing(name, quantize):
    model, images, labels = net_and_samples(torch.float32)
    assert torch.equal(run(name, model, images, labels, eps=0.0, quantize=quantize), images)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.parametrize("name, norm", [(name, norm) for name in with_option("eps") for norm in norms_of(name)])
def test_the_bound_is_exact(name, norm, quantize, dtype):
    model, images = convnet(dtype=dtype), torch.rand(5, 3, 6, 6, dtype=dtype)
    images[:, :, 0], images[:, :, 1] = 0, 1  # at the ends of the box too
    images = (images * 255).round() / 255
    eps = RADII[norm] if name in SHARED else torch.linspace(0.3, 1, 5, dtype=torch.float64) * RADII[norm]
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
    assert not torch.equal(found, images)


def places(changed):
    """(N,) how many pixels changed."""
    return changed.any(1).flatten(1).sum(1)


def values(changed):
    """(N,) how many numbers changed."""
    return changed.flatten(1).sum(1)


@pytest.mark.parametrize(
    "name, options, count, most",
    [
        ("one_pixel", {"pixels": 1}, places, 1),
        ("one_pixel", {"pixels": 3}, places, 3),
        ("jsma", {"fraction": 0.1}, values, 43),  # of 432
        ("patch", {"share": 0.1}, places, 16),  # of 144, and what lies on its edge
        ("patch", {"share": 0.1, "shape": "square"}, places, 16),
    ],
)
def test_no_more_changes_than_may(name, options, count, most):
    model, images = convnet(), samples(8, (3, 12, 12))
    changed = count(run(name, model, images, None, **STRONG, **options) != images)
    assert changed.any() and (changed <= most).all()


@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.parametrize("name", SMALLEST)
def test_where_nothing_fools_or_nothing_needs_to_the_image_is_returned(name, quantize):
    model, images, labels = net_and_samples(torch.float32)

    def stubborn(points):  # a tiny slope, and never another class
        return model(points) * 1e-3 + 100 * torch.nn.functional.one_hot(labels[:1], 5)

    assert torch.equal(run(name, stubborn, images[:1], labels[:1], quantize=quantize), images[:1])
    wrong = (labels + 1) % 5
    assert torch.equal(run(name, model, images, wrong, quantize=quantize), images)
    assert torch.equal(run(name, model, images, labels, targeted=True, target_classes=0, quantize=quantize), images)


@pytest.mark.parametrize("name, norm", [(name, norm) for name in SMALLEST for norm in norms_of(name)])
def test_what_fools_on_the_levels_of_a_file(name, norm):
    model, images = linear((3, 4, 4), 5), torch.rand(8, 3, 4, 4, dtype=torch.float64)
    labels, change = predictions(model, images), {"change": 0.3} if name == "jsma" else {}  # by default to 1, a level
    found = run(name, model, images, labels, norm=norm, quantize=True, **STRONG, **change)
    fooled, changed = predictions(model, found) != labels, found != images
    assert fooled.any() and torch.equal(found[changed], (found[changed] * 255).round() / 255)
    assert torch.equal(changed.flatten(1).any(1), fooled)
    assert fooled.all() or name == "one_pixel"


@pytest.mark.parametrize("name", with_option("targeted"))
def test_a_wanted_class_is_reached(name):
    model, images = linear((3, 8, 8), 3), samples(12, (3, 8, 8))
    wanted = (predictions(model, images) + 1) % 3
    found = run(name, model, images, wanted, targeted=True, **{**STRONG, "target_classes": 0})
    reached = predictions(model, found) == wanted
    assert reached.any()
    if name in SMALLEST:
        assert torch.equal(found[~reached], images[~reached])
    with pytest.raises(AttackError, match="the classes to reach"):
        run(name, model, images, None, targeted=True, target_classes=0)


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
        assert fooled.all()
        assert (NORMS["L2"].size(found - images) <= 1.05 * NORMS["L2"].size(plain - images)).all()


def no_number(points):
    """Logits whose gradient is not a number."""
    return convnet()(points) + (points - points.detach()).square().sum((1, 2, 3)).sqrt()[:, None] * torch.ones(5)


def no_graph(points):
    return convnet()(points).detach()


def flat(points):
    """Logits whose gradient is zero."""
    return convnet()(points).detach() + 0 * points.sum((1, 2, 3))[:, None]


@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in BLIND])
def test_gradients_that_are_no_numbers_are_refused(name):
    with pytest.raises(AttackError, match="not a number"):
        run(name, no_number, samples(3, (3, 6, 6)), None)


@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in BLIND])
def test_logits_that_have_no_gradient_are_refused(name):
    with pytest.raises(AttackError, match="do not depend on its input by a gradient"):
        run(name, no_graph, samples(3, (3, 6, 6)), None)


@pytest.mark.parametrize("name", [name for name in [*ALONE, *SHARED] if name not in BLIND])
def test_gradients_that_vanish_cause_a_warning(name):
    images = samples(3, (3, 6, 6))
    with pytest.warns(GradientWarning, match="zero for 2 of 2" if name in SHARED else "3 of 3"):
        found = run(name, flat, images, None)
    assert name not in SMALLEST or torch.equal(found, images)


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
    model, images, labels = net_and_samples(torch.float32)
    with pytest.raises(AttackError):
        run(name, model, **{"images": images, "labels": labels, **wrong})


def test_the_table_and_the_package_agree():
    for name in ATTACKS:
        assert callable(getattr(attacks, name)) and getattr(attacks, name).__name__ == name
        assert name in attacks.__all__


def test_every_setting_of_these_laws_is_an_option_of_some_attack():
    known = {option for name in ATTACKS for option in options_of(name)}
    assert {*FEW, *STRONG, *(option for kind in KINDS for option in kind)} <= known
