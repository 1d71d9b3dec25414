"""A unit inside a network as what is explained, in Python and from the shell."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import interpret
from interpret import EXPLAINERS, Classifier, InterpretError, NetworkError, UnknownNameError, contrast, unit
from interpret.explainers import explainer_named
from interpret.unit_scores import unit_named
from tests.command import interp
from tests.laws.test_explainers import FEW, options_of
from tests.laws.test_explainers import classifier as classifier_for
from tests.tiny import SmallCNN

OF_CLASSES = ("cam", "finercam")  # which explain classes alone


def model(**options):
    torch.manual_seed(3)
    return Classifier(SmallCNN().eval(), mean=[0.5] * 3, std=[0.25] * 3, **options)


def pictures(count=2):
    return torch.rand(count, 3, 20, 16, generator=torch.Generator().manual_seed(7))


def hand_made(classifier, images, channel, place=None):
    """The gradient of a channel of conv2, or of one place in it, by the pictures."""
    source = images.clone().requires_grad_()
    kept = []
    handle = classifier.network.conv2.register_forward_hook(lambda _, __, output: kept.append(output))
    classifier(source)
    handle.remove()
    own = kept[0][:, channel]
    score = own.mean((1, 2)) if place is None else own[:, place[0], place[1]]
    return torch.autograd.grad(score.sum(), source)[0]


@pytest.mark.parametrize("place", [None, (3, 5)])
def test_saliency_of_a_unit_is_its_gradient(place):
    classifier, images = model(), pictures()
    found = interpret.saliency(classifier, images, unit("conv2", 4, place))
    torch.testing.assert_close(found, hand_made(classifier, images, 4, place))


@pytest.mark.parametrize("name", [name for name in EXPLAINERS if name not in OF_CLASSES])
def test_every_explainer_of_scores_takes_a_unit(name):
    explain, images = explainer_named(name), pictures(3)
    classifier = classifier_for(explain, input_size=16)
    options = {key: FEW[key] for key in FEW if key in options_of(explain)}
    for score in (unit("bn2", 1), unit("bn2", 1, (2, 3))):
        together = explain(classifier, images, score, **options)
        assert together.shape[-2:] == (20, 16) and torch.isfinite(together).all()
        alone = torch.cat([explain(classifier, image[None], score, **options) for image in images])
        assert (together - alone).abs().max() <= 1e-4 * alone.abs().max()


@pytest.mark.parametrize("name", OF_CLASSES)
def test_those_of_classes_say_so(name):
    with pytest.raises(InterpretError, match="explains"):
        explainer_named(name)(model(), pictures(), unit("bn2", 1))


def test_a_unit_of_the_head_is_a_class():
    classifier, images = model(), pictures()
    for name in ("gradcam", "guided_backprop", "deeplift", "lrp", "ablationcam"):
        explain = explainer_named(name)
        expected = explain(classifier, images, 2)
        torch.testing.assert_close(explain(classifier, images, unit("head", 2)), expected, rtol=1e-4, atol=1e-6)


def test_methods_of_a_layer_look_at_the_units_own_by_default():
    classifier, images = model(), pictures()
    maps = interpret.activation_maps(classifier, images, "relu")[:, 5:6]
    found = interpret.gradcam(classifier, images, unit("relu", 5))
    torch.testing.assert_close(found, maps / maps[0].numel())
    at_one = interpret.hirescam(classifier, images, unit("relu", 5, (4, 6)))
    assert int((at_one != 0).sum()) <= 2 and torch.equal(at_one[..., 4, 6], maps[..., 4, 6])
    below = interpret.gradcam(classifier, images, unit("bn2", 5), layer="conv1", relu=False)
    source = classifier.normalise(images)
    kept = classifier.network.conv1(source).requires_grad_()
    network = classifier.network
    score = network.bn2(network.conv2(F.relu(network.bn1(kept))))[:, 5].mean((1, 2))
    weights = torch.autograd.grad(score.sum(), kept)[0].mean((2, 3), keepdim=True)
    torch.testing.assert_close(below, (weights * kept).sum(1, keepdim=True).detach(), rtol=1e-4, atol=1e-6)


def test_a_layer_that_comes_after_the_unit_is_refused():
    with pytest.raises(NetworkError, match="does not depend on layer 'bn2'"):
        interpret.gradcam(model(), pictures(), unit("conv1", 5), layer="bn2")


@pytest.mark.parametrize(
    "wrong, said",
    [
        (("conv2", 8), "layer 'conv2' has no channel 8: they are 0 to 7"),
        (("conv2", -1), "no channel -1"),
        (("conv2", 1, (20, 0)), "no place 20,0: rows are 0 to 19, columns 0 to 15"),
        (("conv2", 1, (0, -1)), "no place 0,-1"),
        (("head", 5), "layer 'head' has no channel 5: they are 0 to 4"),
        (("conv3", 1), "no layer 'conv3' in SmallCNN; did you mean 'conv2'"),
    ],
)
def test_what_is_not_there_is_refused(wrong, said):
    for name in ("saliency", "gradcam", "occlusion"):
        with pytest.raises(UnknownNameError, match=said):
            explainer_named(name)(model(), pictures(), unit(*wrong))


class Detector(nn.Module):
    """It returns no logits, and its units can be explained all the same."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images):
        return [{"boxes": self.conv(images)[:, :, 0, :4]}]


def test_a_network_without_logits_has_units_too():
    assert interpret.saliency(Detector(), pictures(), unit("conv", 1, (0, 0)))[..., 3:, :].abs().max() == 0


def test_no_rule_sees_the_passes_that_find_out_what_layers_hold():
    images = pictures(1)
    for name in ("attention_rollout", "deeplift", "lrp", "guided_backprop"):
        explain, classifier = explainer_named(name), classifier_for(explainer_named("legrad"))
        score = contrast(unit("bn2", 1), unit("bn2", 2))
        first, known = (explain(classifier, images, score) for _ in range(2))  # the second time nothing is left to find
        torch.testing.assert_close(first, known)


def test_two_units_compare():
    classifier, images = model(), pictures()
    first, second = (interpret.saliency(classifier, images, unit(*one)) for one in (("conv1", 2), ("conv2", 3)))
    both = interpret.saliency(classifier, images, contrast(unit("conv1", 2), unit("conv2", 3)))
    torch.testing.assert_close(both, first - second)
    with pytest.raises(InterpretError, match="the logit of a class compares with scores of logits"):
        interpret.saliency(classifier, images, contrast(unit("conv1", 2), 3))


# By which pixels, and that no other is touched.
BY_PIXELS = ("saliency", "input_x_gradient", "integrated_gradients", "guided_backprop", "deconvnet", "deeplift", "lrp")


def assert_inside(view, inputs, layer, channel, place, names):
    left, top, right, bottom = interpret.receptive_field(view, inputs, layer).box(place)
    outside = torch.ones(inputs.shape[2:], dtype=torch.bool)
    outside[top:bottom, left:right] = False
    assert outside.any()
    for name in names:
        found = explainer_named(name)(view, inputs, unit(layer, channel, place))
        assert found.abs().max() > 0 and found[..., outside].abs().max() == 0, name


@pytest.mark.parametrize("place", [(0, 0), (9, 7), (19, 15)])
def test_a_unit_at_one_place_is_explained_inside_its_receptive_field(place):
    assert_inside(model().on_inputs(), pictures(1), "bn2", 3, place, BY_PIXELS)


def strongest(view, inputs, layer):
    """The unit of a layer that is excited most, and where."""
    maps = interpret.activation_maps(view, inputs, layer)[0]
    channel, row, column = np.unravel_index(int(maps.argmax()), maps.shape)
    return int(channel), (int(row), int(column))


@pytest.mark.parametrize("layer", ["features.3", "features.7"])
def test_guided_backprop_lies_inside_the_receptive_field_of_squeezenet(squeezenet, cat, layer):
    view, inputs = squeezenet.on_inputs(), squeezenet.prepare(cat)[0]
    assert_inside(view, inputs, layer, *strongest(view, inputs, layer), ["guided_backprop"])


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["_blocks.3", "_blocks.5"])
def test_guided_backprop_lies_inside_the_receptive_field_of_lite0(lite0, cat, layer):
    view, inputs = lite0.on_inputs(), lite0.prepare(cat)[0]
    assert_inside(view, inputs, layer, *strongest(view, inputs, layer), ["guided_backprop", "saliency"])


def test_units_in_the_shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("guided-backprop", "sample:cat", "-m", "squeezenet1_1", "--unit", "features.3:5", "--unit")
    run = interp(*words, "features.3:5@4,6", "--json", "--caption")
    assert run.status == 0, run.err
    rows = [json.loads(line) for line in run.out.splitlines()]
    assert [row["explained"] for row in rows] == [{"unit": "features.3:5"}, {"unit": "features.3:5@4,6"}]
    assert {path.name for path in tmp_path.iterdir()} == {row["path"] for row in rows}
    made = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert interp(*words, "features.3:5@4,6", "--no-clobber", "--caption").status == 0
    assert made == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run = interp("saliency", "sample:cat", "-m", "squeezenet1_1", "--unit", "features.3:5@4,6", "-o", "raw.npy")
    assert run.status == 0
    classifier, image = interpret.load("squeezenet1_1"), interpret.read("sample:cat")
    expected = interpret.saliency(classifier, image, unit("features.3", 5, (4, 6)))[0]
    np.testing.assert_allclose(np.load("raw.npy"), expected.numpy(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    "words, said",
    [
        (("--unit", "features.3:999"), "layer 'features.3' has no channel 999: they are 0 to 127"),
        (("--unit", "features.3:9@99,1"), "no place 99,1: rows are 0 to 54, columns 0 to 54"),
        (("--unit", "feature.3:9"), "no layer 'feature.3' in SqueezeNet; did you mean 'features.3'"),
        (("--unit", "features.3"), "cannot read the unit 'features.3'; say for example layer3:44"),
        (("--unit", "features.3:1", "-c", "cat"), "leave out --class"),
        (("--unit", "features.3:1", "--score", "log-probability"), "leave out --score log-probability"),
        (("--unit", "features.3:1", "--versus", "cat"), "--versus and --top-k compare logits"),
        (("--unit", "features.3:1", "--box", "1,2,30,40"), "--box and --unit explain different things"),
        (("--unit", "features.3:1@2,2", "--smooth", "2"), "sees another part of a shifted picture"),
    ],
)
def test_wrong_units_are_one_line_and_status_2(words, said):
    run = interp("saliency", "sample:cat", "-m", "squeezenet1_1", *words)
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1) and said in run.err, run.err


def test_names_of_units():
    assert unit_named("layer3.0:44@7,3") == unit("layer3.0", 44, (7, 3))
    assert str(unit_named("relu#2:4")) == "relu#2:4"
    for text in ("layer3", "layer3:", "layer3:x", "layer3:4@1", ":4"):
        with pytest.raises(InterpretError, match="cannot read the unit"):
            unit_named(text)
