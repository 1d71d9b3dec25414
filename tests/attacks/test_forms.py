"""In what forms attacks take models, images, labels and radii; what none of them can be asked."""

import math
import warnings

import pytest
import torch

import attacks
from attacks import ATTACKS, AttackError, GradientWarning
from attacks.core.norms import NORMS
from attacks.evaluation.robust_accuracy import robust_at
from attacks.norm_names import default_radius
from tests.attack_nets import convnet, linear, predictions, samples
from tests.laws.test_attacks import options_of, run, with_option

every = pytest.mark.parametrize("name", ATTACKS)
pytestmark = pytest.mark.filterwarnings("ignore:not the standard AutoAttack")


SEARCHES = {"universal_perturbation": attacks.universal_perturbation, "train_patch": attacks.train_patch}


def case(dtype=torch.float32):
    model, images = convnet(dtype=dtype), samples(4, (3, 12, 12), dtype=dtype)
    return model, images, predictions(model, images)


@pytest.mark.parametrize("eps", [-1 / 255, math.nan, math.inf, 2.0, 8])
@pytest.mark.parametrize("name", with_option("eps"))
def test_a_radius_that_is_no_bound_is_refused(name, eps):
    with pytest.raises(
        AttackError, match=r"did you mean (2|8)/255\?" if 2 <= eps < math.inf else "a radius of 0 or more"
    ):
        run(name, *case(), eps=eps)


@pytest.mark.parametrize("norm", NORMS)
def test_a_radius_wider_than_the_box_is_refused_in_every_norm(norm):
    model, images, labels = case()
    with pytest.raises(AttackError, match="no bound"):
        attacks.pgd(model, images, labels, norm=norm, eps=433, steps=1)
    with pytest.raises(AttackError, match="counts values"):
        attacks.pgd(model, images, labels, norm="L0", eps=8 / 255, steps=1)
    with pytest.raises(AttackError, match="step_size is a number of 0 or more, not"):
        attacks.pgd(model, images, labels, norm=norm, step_size=-0.1)


@pytest.mark.parametrize("eps", [-1 / 255, math.nan, 8])
@pytest.mark.parametrize("attack", ["pgd", "deepfool"])
def test_no_accuracy_is_told_at_a_radius_that_is_none(attack, eps):
    with pytest.raises(AttackError, match="eps"):
        robust_at(*case(), attack, [0.0, eps], **({"norm": "Linf"} if attack == "deepfool" else {}))


@pytest.mark.parametrize("name", with_option("norm"))
def test_a_norm_may_be_spelled_in_any_usual_way(name):
    model, images, labels = case()
    for spelled, norm in {"l2": "L2", "linf": "Linf", "inf": "Linf"}.items():
        one, other = (run(name, model, images, labels, norm=way, eps=0.1) for way in (spelled, norm))
        assert torch.equal(one, other)
    with pytest.raises(AttackError, match="'nan'"):
        run(name, model, images, labels, norm="nan")


@pytest.mark.parametrize("name", [name for name in with_option("eps") if "norm" in options_of(name)])
def test_every_norm_has_a_radius_of_its_own(name):
    model, images, labels = case()
    found = {norm: run(name, model, images, labels, norm=norm, eps=None) for norm in ("Linf", "L2")}
    assert NORMS["L2"].size(found["L2"] - images).max() > 0.02
    for norm in found:
        eps = 10 / 255 if (name, norm) == ("universal", "Linf") else default_radius(norm, 432)
        assert NORMS[norm].size(found[norm].double() - images.double()).max() <= eps
    assert default_radius("L2", 3 * 32 * 32) == pytest.approx(0.435, abs=1e-3)


@pytest.mark.parametrize("norm", ["L2", "L1"])
@pytest.mark.parametrize("name", ["fgsm", "pgd", "mifgsm"])
def test_no_change_rounds_to_nothing(name, norm):
    model, images = convnet(dtype=torch.float32), samples(4, (3, 40, 40), dtype=torch.float32)
    labels = predictions(model, images)
    found = run(name, model, images, labels, norm=norm, eps=8 / 255, quantize=True)
    assert (found != images).flatten(1).any(1).all()
    assert (NORMS[norm].size(found.double() - images.double()) <= 8 / 255).all()
    with pytest.raises(AttackError, match="less than one level"):
        run(name, model, images, labels, norm=norm, eps=0.9 / 255, quantize=True)


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_models_and_images(name, dtype):
    model, images, labels = case()
    narrow = run(name, model.to(dtype), images.to(dtype), labels, eps=0.2, steps=20)
    assert narrow.dtype == dtype and not narrow.equal(images.to(dtype)) and model(narrow).dtype == dtype
    if "eps" in options_of(name):
        assert (
            NORMS["Linf"].size(narrow.double() - images.to(dtype).double()).max()
            <= 0.2 + 0.5 * (name == "physical") / 255
        )
    wide = run(name, model, images, labels, eps=0.2, steps=20)  # wide images, a narrow model
    assert wide.dtype == torch.float32 and not wide.equal(images)


@every
def test_under_autocast(name):
    model, images, labels = case()
    plain = run(name, model, images, labels, eps=0.2, steps=8)
    with torch.autocast("cpu", torch.bfloat16):
        found = run(name, model, images, labels, eps=0.2, steps=8)
        fooled = predictions(model, found) != labels
    assert found.dtype == torch.float32
    if "eps" in options_of(name):
        assert NORMS["Linf"].size(found.double() - images.double()).max() <= 0.2 + 1e-7
    assert abs(int(fooled.sum()) - int((predictions(model, plain) != labels).sum())) <= 1


@every
def test_arrays_lists_and_columns_are_taken(name):
    model, images, labels = case()
    expected = run(name, model, images, labels)
    for given, classes in [
        (images, labels.numpy()),
        (images, labels.tolist()),
        (images, labels[:, None]),
        (images.numpy(), labels),
        (images.double().numpy(), labels.int().numpy()[:, None]),
    ]:
        assert torch.equal(run(name, model, given, classes), expected)


@every
def test_what_is_off_by_rounding_is_put_inside(name):
    model, images, labels = case()
    images[:, :, 0, 0] = 0
    expected = run(name, model, images, labels)
    off = images.clone()
    off[:, :, 0, 0] = -3e-8
    assert torch.equal(run(name, model, off, labels), expected)


@every
@pytest.mark.parametrize("labels", [["cat"] * 4, object(), [[0, 1]] * 4])
def test_labels_that_are_none_are_refused_in_a_sentence(name, labels):
    model, images, _ = case()
    with pytest.raises(AttackError, match="labels are"):
        run(name, model, images, labels)


@every
def test_images_that_are_none_are_refused_in_a_sentence(name):
    model, images, labels = case()
    for wrong in ("photo.jpg", [[1, 2], [3]]):
        with pytest.raises(AttackError, match="images are"):
            attacks.attack_named(name)(model, wrong, labels)


def test_probabilities_in_place_of_logits_are_said():
    model, images, labels = case()
    with pytest.warns(GradientWarning, match="probabilities"):
        attacks.carlini_wagner(lambda points: model(points).softmax(1), images, labels, steps=2, searches=1)
    with warnings.catch_warnings(action="error"):
        attacks.carlini_wagner(model, images, labels, steps=2, searches=1)
        attacks.hopskipjump(lambda points: model(points).softmax(1), images, labels, queries=2)  # it takes no gradient


@pytest.mark.parametrize("classes", [2, 3])
def test_few_classes(classes):
    model, images = linear((3, 4, 4), classes, dtype=torch.float32), samples(6, (3, 4, 4), dtype=torch.float32)
    labels = predictions(model, images)
    with pytest.warns(UserWarning, match="is not defined"):
        found = attacks.autoattack(model, images, labels, eps=0.3, steps=5, queries=10)
    assert (predictions(model, found) != labels).any()
    if classes == 2:
        with pytest.raises(AttackError, match="three classes"):
            attacks.apgd(model, images, labels, loss="dlr", steps=5)
    else:
        attacks.apgd(model, images, labels, loss="dlr", steps=5)


@every
def test_one_output_is_refused_in_a_sentence(name):
    _, images, labels = case()
    with pytest.raises(AttackError, match="two classes or more"):
        run(name, lambda points: points.flatten(1).sum(1, keepdim=True), images, labels)


@pytest.mark.parametrize("name, option", [("pgd", "steps"), ("deepfool", "candidates"), ("square", "queries")])
def test_a_count_that_is_a_tensor_is_checked_too(name, option):
    with pytest.raises(AttackError, match=f"{option} is a whole number of 1 or more, not 0"):
        attacks.attack_named(name)(*case(), **{option: torch.tensor(0)})


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(
    "option, value", [("steps", 0), ("pictures", 2.5), ("step_size", float("nan")), ("steps", 2**40)]
)
def test_what_is_made_for_many_samples_is_checked_as_attacks_are(name, option, value):
    with pytest.raises(AttackError, match=f"{option} is a (whole )?number of"):
        SEARCHES[name](*case(), **{option: value})


def test_each_number_of_a_shared_change_has_bounds():
    for options in ({"limit": math.nan}, {"limit": 0}, {"decay": -1}):
        with pytest.raises(AttackError, match=" is a number "):
            attacks.universal_perturbation(*case(), **options)
    for options in ({"degrees": math.inf}, {"smoothness": -1.0}, {"share": 1.5}):
        with pytest.raises(AttackError, match=" is a number "):
            attacks.train_patch(*case(), **options)


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_beyond_all_floats_is_refused_in_a_sentence(digits):
    for option in ("eps", "step_size", "steps", "seed"):
        for sign in (1, -1):
            with pytest.raises(AttackError, match=f"{option} is a "):
                attacks.pgd(*case(), **{option: sign * 10**digits})
