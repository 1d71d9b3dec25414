"""Grad-CAM: equality with captum, and the right place on real photos."""

import json
from pathlib import Path

import pytest
import torch
from captum.attr import LayerGradCam
from torchvision import models

import interpret
from interpret import Classifier, default_layer, gradcam
from interpret.explainers import explainer_named
from tests.command import REPOSITORY
from tests.tiny import x0

BOXES = json.loads((REPOSITORY / "samples" / "boxes.json").read_text())
core = explainer_named("gradcam").__wrapped__

ARCHITECTURES = (
    "alexnet",
    pytest.param("densenet121", marks=pytest.mark.slow),
    "efficientnet_b0",
    "googlenet",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
    pytest.param("vgg11", marks=pytest.mark.slow),
)


def captum_maps(network, images, target, layer):
    """captum's Grad-CAM without and with its ReLU."""
    images = images.clone().requires_grad_()  # captum warns where it has to do so itself
    method = LayerGradCam(network, network.get_submodule(layer))
    return [method.attribute(images, target, relu_attributions=relu).detach() for relu in (False, True)]


def assert_equal_maps(ours, theirs):
    """Within 1e-5 of the largest value, also where the ReLU leaves nothing."""
    largest = theirs[0].abs().max()
    assert largest > 0
    for our, their in zip(ours, theirs, strict=True):
        assert (our - their).abs().max() <= 1e-5 * largest


@pytest.mark.filterwarnings("ignore::UserWarning")  # captum uses kinds of hooks that PyTorch advises against
def test_equals_captum_on_real_weights(squeezenet, cat):
    view, inputs = squeezenet.on_inputs(), squeezenet.prepare(cat)[0]
    ours = [core(view, inputs, 281, relu=relu) for relu in (False, True)]
    assert_equal_maps(ours, captum_maps(squeezenet.network, view.normalise(inputs), 281, "features.12"))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_equals_captum_on_random_weights(name):
    extra = {"init_weights": False} if name == "googlenet" else {}
    network = models.get_model(name, weights=None, **extra).eval()
    images, target = torch.rand(2, 3, 96, 96), torch.tensor([3, 4])
    # captum takes a module and its last call, so a module whose calls it cannot tell apart is not compared.
    layer = default_layer(network, images).partition("#")[0]
    if "F." in layer:
        layer = "features.norm5"  # captum takes no function
    ours = [core(network, images, target, layer=layer, relu=relu) for relu in (False, True)]
    assert_equal_maps(ours, captum_maps(network, images, target, layer))


def positive_share(attribution, box):
    """The share of the positive attribution inside a box (left, top, right, bottom)."""
    left, top, right, bottom = box
    positive = attribution.clamp(min=0)
    return float(positive[..., top:bottom, left:right].sum() / positive.sum())


@pytest.mark.parametrize("name", [name for name, entry in BOXES.items() if "box" in entry])
def test_heat_lies_on_the_animal(lite0, name):
    image = interpret.read(f"sample:{Path(name).stem}")
    attribution = gradcam(lite0, image, lite0.find(BOXES[name]["expect"], image))
    assert positive_share(attribution, BOXES[name]["box"]) >= 0.7


@pytest.mark.parametrize("animal", ["cat", "dog"])
def test_cat_and_dog_are_told_apart(lite0, animal):
    image = interpret.read("sample:cat-and-dog")
    share = half_share(gradcam(lite0, image, lite0.find(animal, image)), animal)
    assert share >= 0.8


def test_a_network_without_training_does_not_tell_them_apart(lite0):
    image = interpret.read("sample:cat-and-dog")
    shares = []
    for seed in range(5):
        torch.manual_seed(seed)
        untrained = Classifier(models.resnet18(), mean=[0.5] * 3, std=[0.25] * 3, input_size=224, resize=256)
        for animal in ("cat", "dog"):  # a map that is the same for both has 1 in the two parts together
            share = half_share(gradcam(untrained, image, lite0.find(animal, image)), animal)
            shares.append(0.5 if share != share else share)  # a blank map speaks for neither part
    assert sum(shares) / len(shares) < 0.65


def half_share(attribution, animal):
    """The share of the positive attribution on the part of the montage where an animal is."""
    height, width = attribution.shape[-2:]
    border = BOXES["cat-and-dog.jpg"]["dog"][1]
    return positive_share(attribution, (0, 0, width, border) if animal == "cat" else (0, border, width, height))


def test_contrast_is_the_difference_without_relu(lite0, cat):
    def explain(target):
        return gradcam(lite0, cat, target, relu=False)

    torch.testing.assert_close(explain(interpret.contrast(281, 207)), explain(281) - explain(207), rtol=1e-4, atol=1e-5)


def test_group_of_one_is_its_member(lite0, cat):
    torch.testing.assert_close(gradcam(lite0, cat, interpret.group([281])), gradcam(lite0, cat, 281))


def test_unseen_pixels_are_zero(lite0, cat):
    seen = lite0.prepare(cat)[1].seen()
    attribution = gradcam(lite0, cat, 281)
    assert (attribution[0, 0][~seen] == 0).all()
    assert 0.4 < float(seen.float().mean()) < 0.6  # a wide photo loses its sides


def test_a_layer_that_the_score_does_not_depend_on_is_refused():
    class Side(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.side = torch.nn.Conv2d(1, 2, 1)
            self.head = torch.nn.Linear(16, 2)

        def forward(self, images):
            self.side(images)
            return self.head(images.flatten(1))

    with pytest.raises(interpret.NetworkError, match="does not depend on layer 'side'"):
        gradcam(Side(), x0(), 0, layer="side")


def test_few_dimensions_are_refused():
    with pytest.raises(interpret.InterpretError, match="N, C, H, W"):
        gradcam(torch.nn.Linear(3, 2), torch.rand(1, 3), 0)
