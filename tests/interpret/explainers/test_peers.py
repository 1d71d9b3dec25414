"""Equality with other libraries where they compute the same thing.

Grad-CAM++ is held against the paper's equation 19 alone: torch-cam leaves the division out, and
pytorch-grad-cam adds 1e-6 to a denominator that is often smaller than that.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum import attr
from torch import nn
from torchvision import models

import interpret
from interpret.explainers import explainer_named
from interpret.images.baselines import baseline_for
from tests.tiny import SmallCNN

# Peers use hooks, calls and NumPy in ways that others warn about.
pytestmark = pytest.mark.filterwarnings("ignore")

TARGETS = torch.tensor([3, 1])


def images(side=64):
    return torch.rand(2, 3, side, side)


def plain_relus(name):
    """A network whose activations are all ReLU modules, each fed by a tensor of its own."""
    torch.manual_seed(1)
    return models.get_model(name, weights=None).eval().requires_grad_(False)


def small():
    torch.manual_seed(1)
    return SmallCNN().eval().requires_grad_(False)


def assert_equal(ours, theirs, tolerance=1e-6):
    """Within a share of the largest value."""
    largest = theirs.abs().max()
    assert largest > 0
    assert (ours - theirs).abs().max() <= tolerance * largest


def not_in_place(network):
    """For captum, whose hooks do not bear modules that work in place."""
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    return network


@pytest.mark.parametrize("absolute", [False, True])
def test_saliency(absolute):
    network, pictures = small(), images(16)
    ours = interpret.saliency(network, pictures, TARGETS)
    theirs = attr.Saliency(network).attribute(pictures.clone().requires_grad_(), TARGETS, abs=absolute)
    assert torch.equal(ours.abs() if absolute else ours, theirs)


def test_input_x_gradient():
    network, pictures = small(), images(16)
    theirs = attr.InputXGradient(network).attribute(pictures.clone().requires_grad_(), TARGETS)
    assert torch.equal(interpret.input_x_gradient(network, pictures, TARGETS), theirs.detach())


@pytest.mark.parametrize("baseline", [0.0, 0.3])
@pytest.mark.parametrize("steps", [1, 7, 32])
def test_integrated_gradients(steps, baseline):
    network, pictures = small(), images(16)
    ours = interpret.integrated_gradients(network, pictures, TARGETS, steps=steps, baseline=baseline)
    method = attr.IntegratedGradients(network)
    theirs = method.attribute(pictures, baseline, TARGETS, n_steps=steps, method="gausslegendre")
    assert_equal(ours, theirs, 1e-5)


@pytest.mark.parametrize(("window", "stride"), [(4, 4), (4, 2), (5, 3), (7, 7), (3, 1)])
def test_occlusion(window, stride):
    network, pictures = small(), images(14)
    ours = interpret.occlusion(network, pictures, TARGETS, window=window, stride=stride, baseline=0.5)
    theirs = attr.Occlusion(network).attribute(
        pictures, (3, window, window), (3, stride, stride), baselines=0.5, target=TARGETS
    )
    for channel in theirs.unbind(1):
        assert_equal(ours[:, 0], channel, 1e-5)


@pytest.mark.parametrize("name", ["resnet18", pytest.param("vgg11", marks=pytest.mark.slow), "alexnet"])
@pytest.mark.parametrize(("ours", "theirs"), [("guided_backprop", "GuidedBackprop"), ("deconvnet", "Deconvolution")])
def test_rules_on_random_weights(name, ours, theirs):
    network, pictures = plain_relus(name), images()
    found = explainer_named(ours)(network, pictures, TARGETS)
    method = getattr(attr, theirs)(not_in_place(network))
    assert_equal(found, method.attribute(pictures.clone().requires_grad_(), TARGETS).detach())


@pytest.mark.parametrize(("ours", "theirs"), [("guided_backprop", "GuidedBackprop"), ("deconvnet", "Deconvolution")])
def test_rules_on_real_weights(squeezenet, cat, ours, theirs):
    view, inputs = squeezenet.on_inputs(), squeezenet.prepare(cat)[0]
    found = explainer_named(ours)(view, inputs, 281)
    method = getattr(attr, theirs)(not_in_place(interpret.load("squeezenet1_1").network))
    normal = view.normalise(inputs).requires_grad_()
    # The gradient by the picture is the one by the normalised picture divided by std.
    assert_equal(found, method.attribute(normal, 281).detach() / view.std)


def test_lrp_is_captums_epsilon_rule(squeezenet, cat):
    view, inputs = squeezenet.on_inputs(), squeezenet.prepare(cat)[0]
    normal = view.normalise(inputs).requires_grad_()
    theirs = attr.LRP(not_in_place(interpret.load("squeezenet1_1").network)).attribute(normal, 281).detach()
    assert_equal(interpret.lrp(view, inputs, 281, composite="epsilon", epsilon=1e-9), theirs, 1e-5)


@pytest.mark.parametrize("baseline", ["black", "blur"])
def test_deeplift_is_captums_where_nothing_overlaps(baseline):
    """captum is right for modules that each follow a layer of weights, and for pooling that is an average."""
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 6, 3), nn.ELU(), nn.Flatten(), nn.Linear(150, 5)
    ).double()
    pictures = images(16).double()
    start = baseline_for(baseline, network, pictures)
    ours = interpret.deeplift(network, pictures, TARGETS, baseline=baseline)
    assert_equal(ours, attr.DeepLift(network).attribute(pictures, start, TARGETS).detach(), 1e-9)


def test_deeplift_adds_up_where_captum_does_not(squeezenet, cat):
    view, inputs = squeezenet.on_inputs(), squeezenet.prepare(cat)[0]
    with torch.no_grad():
        rise = float(view(inputs)[0, 281] - view(torch.zeros_like(inputs))[0, 281])
    assert float(interpret.deeplift(view, inputs, 281).sum()) == pytest.approx(rise, rel=1e-3)


# Ours to zennit's composite, with the rule of each that the first layer goes by.
ZENNIT = {
    "epsilon-plus": "EpsilonPlus",
    "epsilon-plus-flat": "EpsilonPlusFlat",
    "epsilon-alpha2-beta1": "EpsilonAlpha2Beta1",
    "epsilon-alpha2-beta1-flat": "EpsilonAlpha2Beta1Flat",
    "epsilon-gamma-box": "EpsilonGammaBox",
}


def small_vgg():
    layers = [
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3),
        nn.ReLU(),
    ]
    return nn.Sequential(
        *layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 5)
    )


def small_resnet():
    return models.resnet.ResNet(models.resnet.BasicBlock, [1, 1, 0, 0], num_classes=5)


@pytest.mark.parametrize("composite", ZENNIT)
@pytest.mark.parametrize(("build", "canonizer"), [(small_vgg, "VGGCanonizer"), (small_resnet, "ResNetCanonizer")])
def test_lrp_is_zennits(build, canonizer, composite):
    pytest.importorskip("zennit")
    from zennit import attribution, composites, torchvision

    torch.manual_seed(1)
    network, pictures = build().double().eval().requires_grad_(False), images(16 if build is small_vgg else 32).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.weight.data.uniform_(0.5, 1.5)
            module.eps = 1e-15  # zennit merges a batch norm, but goes on to divide by sqrt(1 + eps)
    options = {"low": 0.0, "high": 1.0} if composite.endswith("box") else {}
    exact = {"stabilizer": 1e-15, "epsilon": 1e-15, "canonizers": [getattr(torchvision, canonizer)()]}
    theirs = getattr(composites, ZENNIT[composite])(**options, **exact)
    chosen = F.one_hot(TARGETS, 5).double() * network(pictures)
    with attribution.Gradient(network, theirs) as method:
        wanted = method(pictures.clone().requires_grad_(), chosen)[1]
    ours = interpret.lrp(network, pictures, TARGETS, composite=composite, epsilon=1e-15)
    assert_equal(ours, wanted, 1e-5)


# Class activation maps, of a layer whose output nothing changes in place and that runs once.
LAYER = {"resnet18": "layer2", "vgg11": "features.12", "squeezenet1_1": "features.9"}
layered = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "vgg11" else ()) for name in LAYER]
)
CAMS = {
    "gradcam": ("GradCAM", "GradCAM"),
    "layercam": ("LayerCAM", "LayerCAM"),
    "xgradcam": ("XGradCAM", "XGradCAM"),
}


def prepared_for_cams(name):
    """A network and its weights, such that the maps have something to show."""
    network = plain_relus(name)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.2)
    return not_in_place(network)


def unit(maps):
    """Each map from 0 to 1, as peers give them."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low)


@layered
@pytest.mark.parametrize(("ours", "theirs"), [(ours, theirs) for ours, (theirs, _) in CAMS.items()], ids=CAMS)
def test_cams_of_pytorch_grad_cam(name, ours, theirs):
    peer = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    network, pictures = prepared_for_cams(name), images()
    targets = network(pictures).argmax(1)
    found = explainer_named(ours)(network, pictures, targets, layer=LAYER[name])[:, 0]
    network.requires_grad_(True)  # neither this peer nor the next works on frozen weights
    with getattr(peer, theirs)(network, [network.get_submodule(LAYER[name])]) as cam:
        maps = cam(pictures.clone(), [ClassifierOutputTarget(int(target)) for target in targets])
    assert found.abs().amax((1, 2)).min() > 0
    assert (unit(found) - torch.from_numpy(np.asarray(maps))).abs().max() <= 1e-5


def test_ablationcam_of_pytorch_grad_cam():
    peer = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    torch.manual_seed(1)
    network, picture = small_resnet().eval(), images(32)[:1]
    target = int(network(picture).argmax())
    found = interpret.ablationcam(network, picture, target, layer="layer2")[:, 0]
    with peer.AblationCAM(network, [network.layer2]) as cam:
        maps = cam(picture.clone(), [ClassifierOutputTarget(target)])
    assert found.max() > 0
    assert (unit(found) - torch.from_numpy(np.asarray(maps))).abs().max() <= 1e-4


@layered
@pytest.mark.parametrize(("ours", "theirs"), [(ours, theirs) for ours, (_, theirs) in CAMS.items()], ids=CAMS)
def test_cams_of_torch_cam(name, ours, theirs):
    peer = pytest.importorskip("torchcam.methods")
    network, pictures = prepared_for_cams(name), images()
    targets = network(pictures).argmax(1)
    found = explainer_named(ours)(network, pictures, targets, layer=LAYER[name])[:, 0]
    with getattr(peer, theirs)(network.requires_grad_(True), LAYER[name]) as cam:
        logits = network(pictures.clone().requires_grad_())
        (maps,) = cam(targets.tolist(), logits, normalized=False)
    maps = F.interpolate(maps.detach()[:, None], pictures.shape[2:], mode="bilinear")[:, 0]
    assert found.abs().amax((1, 2)).min() > 0
    assert (unit(found) - unit(maps)).abs().max() <= 1e-5


@layered
def test_gradcam_plusplus_is_the_equation(name):
    network, pictures = prepared_for_cams(name).double(), images().double()
    core = explainer_named("gradcam_plusplus").__wrapped__
    kept = []
    handle = network.get_submodule(LAYER[name]).register_forward_hook(lambda _, __, output: kept.append(output))
    logits = network(pictures.requires_grad_())
    handle.remove()
    targets = logits.argmax(1)
    (g,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
    expected = torch.zeros(2, *g.shape[2:], dtype=g.dtype)
    for image, channels in enumerate(kept[0].detach()):
        for activations, slope in zip(channels, g[image], strict=True):
            below = 2 * slope**2 + activations.sum() * slope**3
            alpha = torch.where(below == 0, 0, slope**2 / torch.where(below == 0, 1, below))
            expected[image] += (alpha * slope.clamp(min=0)).sum() * activations
    assert_equal(core(network, pictures.detach(), targets, layer=LAYER[name])[:, 0], expected.clamp(min=0), 1e-9)
