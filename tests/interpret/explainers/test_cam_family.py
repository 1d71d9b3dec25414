"""The later class activation maps: each against its paper's equation, and pytorch-grad-cam where it is right."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

import interpret
from interpret import Classifier, InterpretError
from interpret.explainers import explainer_named
from interpret.explainers.fullgrad import full_gradients
from tests.tiny import SmallCNN

# Peers use hooks, calls and NumPy in ways that others warn about.
pytestmark = pytest.mark.filterwarnings("ignore")

TARGETS = torch.tensor([3, 1])


def core(name):
    return explainer_named(name).__wrapped__


class Bent(SmallCNN):
    """With activations that may be negative and a head that is not straight, so that no term of an equation is idle."""

    def forward(self, images):
        first = F.silu(self.bn1(self.conv1(images)))
        second = F.silu(self.bn2(self.conv2(first)) + first)
        return self.head(F.softplus(second).mean((2, 3)).square() + second.mean((2, 3)))


def network(kind=Bent):
    torch.manual_seed(2)
    made = kind()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.3)
            nn.init.normal_(module.bias, std=0.3)
    return made.eval().double().requires_grad_(False)


def images(side=12):
    return torch.rand(2, 3, side, side - 2, dtype=torch.float64)


def layer_and_rest(model, pictures):
    """The activations of conv2 as NumPy arrays, and a function from them to the logits."""
    kept = []
    handle = model.conv2.register_forward_hook(lambda _, __, output: kept.append(output.detach()))
    model(pictures)
    handle.remove()

    def rest(activations):
        handle = model.conv2.register_forward_hook(lambda _, __, ___: activations)
        logits = model(pictures)
        handle.remove()
        return logits

    return kept[0], rest


def slope_at(activations, score):
    source = activations.clone().requires_grad_()
    return torch.autograd.grad(score(source).sum(), source)[0]


def of_targets(rest):
    return lambda activations: rest(activations).gather(1, TARGETS[:, None])[:, 0]


def found(name, **options):
    model, pictures = network(), images()
    maps = core(name)(model, pictures, TARGETS, layer="conv2", **options)[:, 0].detach()
    assert maps.abs().amax((1, 2)).min() > 0
    return maps.numpy(), *layer_and_rest(model, pictures)


def assert_equal(ours, theirs, tolerance=1e-9):
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


def up_to_sign(ours, theirs, tolerance=1e-9):
    for one, other in zip(ours, theirs, strict=True):
        assert_equal(one, other if (one * other).sum() > 0 else -other, tolerance)


def test_gradcam_elementwise():
    maps, activations, rest = found("gradcam_elementwise")
    slope = slope_at(activations, of_targets(rest)).numpy()
    assert_equal(maps, np.maximum(slope * activations.numpy(), 0).sum(1))


def test_eigengradcam():
    maps, activations, rest = found("eigengradcam")
    added = (slope_at(activations, of_targets(rest)) * activations).flatten(2).numpy()
    for image, own in enumerate(added):
        rows = own.T
        right = np.linalg.svd(rows - rows.mean(0))[2][0]
        projected = rows @ right
        projected *= np.sign(projected @ rows.sum(1))
        assert_equal(maps[image].ravel(), projected)


@pytest.mark.parametrize("sigmas", [2.0, 0.5])
def test_fem(sigmas):
    maps, activations, _ = found("fem", sigmas=sigmas)
    for image, channels in enumerate(activations.numpy()):
        marked = [(own >= own.mean() + sigmas * own.std()) * own.mean() for own in channels]
        assert_equal(maps[image], np.sum(marked, 0))


def test_fem_says_that_a_map_has_too_few_places():
    with pytest.raises(InterpretError, match="of the 4 places of this layer none can be 2 standard deviations above"):
        core("fem")(network(SmallCNN), torch.rand(1, 3, 2, 2).double(), 1, layer="conv2")
    assert core("fem")(network(SmallCNN), torch.rand(1, 3, 2, 2).double(), 1, layer="conv2", sigmas=1.0).max() > 0


KERNELS = {
    "sigmoid": lambda x, y, gamma: np.tanh(gamma * x @ y + 1),
    "rbf": lambda x, y, gamma: np.exp(-gamma * ((x - y) ** 2).sum()),
    "poly": lambda x, y, gamma: (gamma * x @ y + 1) ** 3,
    "linear": lambda x, y, gamma: x @ y,
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("gamma", [None, 0.4])
def test_kpcacam(kernel, gamma):
    maps, activations, _ = found("kpcacam", kernel=kernel, gamma=gamma)
    for image, channels in enumerate(activations.flatten(2).numpy()):
        places = channels.T - channels.T.mean(0)
        places = np.concatenate([places, -channels.T.mean(0)[None]])  # the last is one without any activation
        steep = 1 / places.shape[1] if gamma is None else gamma
        alike = np.array([[KERNELS[kernel](x, y, steep) for y in places[:-1]] for x in places])
        square = alike[:-1]
        centred = alike - square.mean(0) - alike.mean(1, keepdims=True) + square.mean()
        values, vectors = np.linalg.eigh(centred[:-1])
        component = centred @ vectors[:, -1] / np.sqrt(values[-1])
        component = component[:-1] - component[-1]
        assert_equal(maps[image].ravel(), component * np.sign(component.sum()), 1e-7)


def test_kpcacam_with_a_linear_kernel_is_eigencam_without_the_mean():
    maps, activations, _ = found("kpcacam", kernel="linear")
    for image, channels in enumerate(activations.flatten(2).numpy()):
        rows = channels.T
        up_to_sign([maps[image].ravel()], [rows @ np.linalg.svd(rows - rows.mean(0))[2][0]])


def test_kpcacam_refuses_a_layer_with_too_many_places():
    with pytest.raises(InterpretError, match="the layer has 4900; name a later one, of up to 4096"):
        core("kpcacam")(network(SmallCNN), torch.rand(1, 3, 70, 70).double(), 1, layer="conv2")


@pytest.mark.parametrize("rest_too", [True, False])
def test_shapleycam(rest_too):
    maps, activations, rest = found("shapleycam", rest=rest_too)

    def utility(given):
        logits = rest(given)
        chosen = logits.gather(1, TARGETS[:, None])[:, 0]
        return chosen + logits.log_softmax(1).gather(1, TARGETS[:, None])[:, 0] if rest_too else chosen

    slope = slope_at(activations, utility)
    # The Hessian times the activations, as the derivative of the gradient in their direction.
    step = 1e-5
    bent = slope_at(activations * (1 + step), utility) - slope_at(activations * (1 - step), utility)
    weights = (slope - bent / (2 * step) / 2).mean((2, 3), keepdim=True)
    assert_equal(maps, (weights * activations).sum(1).clamp(min=0).numpy(), 1e-6)


def test_shapleycam_of_a_logit_is_gradcam_where_what_follows_is_straight():
    model, pictures = network(SmallCNN), images()
    found = interpret.shapleycam(model, pictures, TARGETS, rest=False)
    torch.testing.assert_close(found, interpret.gradcam(model, pictures, TARGETS))


def differences(logits, strength, similar):
    """The score of Finer-CAM, class by class."""
    scores = []
    for own, target in zip(logits, TARGETS.tolist(), strict=True):
        nearest = sorted((abs(float(value - own[target])), other) for other, value in enumerate(own) if other != target)
        others = [other for _, other in nearest[:similar]]
        shares = own.softmax(0)[others]
        scores.append((shares * (own[target] - strength * own[others])).sum() / shares.sum())
    return torch.stack(scores)


@pytest.mark.parametrize(("strength", "similar"), [(1.0, 3), (0.6, 1), (0.6, 30)])
def test_finercam(strength, similar):
    maps, activations, rest = found("finercam", strength=strength, similar=similar, relu=False)
    weights = slope_at(activations, lambda given: differences(rest(given), strength, similar)).mean((2, 3), True)
    assert_equal(maps, (weights * activations).sum(1).numpy())


def test_finercam_explains_classes_alone():
    with pytest.raises(InterpretError, match="explains classes and no other score"):
        interpret.finercam(network(), images(), interpret.contrast(1, 2))
    torch.manual_seed(1)
    single = Classifier(
        nn.Sequential(nn.Conv2d(3, 2, 3), nn.AvgPool2d(10), nn.Flatten(), nn.Linear(2, 1)),
        mean=[0] * 3,
        std=[1] * 3,
        task="regression",
    )
    with pytest.raises(InterpretError, match="has a single output"):
        interpret.finercam(single, torch.rand(1, 3, 12, 12), 0, layer="0")


def scaled(values):
    """As FullGrad's authors do it: absolute values, from 0 to 1 over each picture."""
    values = values.abs()
    low, high = values.amin((1, 2, 3), keepdim=True), values.amax((1, 2, 3), keepdim=True)
    return ((values - low) / (high - low)).sum(1, keepdim=True)


def test_fullgrad():
    model, pictures = network(SmallCNN), images()
    slopes = {}
    norms = {name: getattr(model, name) for name in ("conv1", "bn1", "conv2", "bn2")}
    handles = []
    for name, module in norms.items():

        def keep(_, __, output, name=name):
            output.register_hook(lambda slope: slopes.update({name: slope}))
            return output.clone()  # what follows works in place

        handles.append(module.register_forward_hook(keep))
    source = pictures.clone().requires_grad_()
    score = model(source).gather(1, TARGETS[:, None]).sum()
    (slope,) = torch.autograd.grad(score, source, retain_graph=True)
    score.backward()
    for handle in handles:
        handle.remove()
    expected, total = scaled(slope * pictures), (slope * pictures).sum()
    for name, module in norms.items():
        bias = module.bias
        if name.startswith("bn"):
            bias = bias - module.running_mean * module.weight / (module.running_var + module.eps).sqrt()
        part = slopes[name] * bias.view(1, -1, 1, 1)
        expected, total = (
            expected + F.interpolate(scaled(part), pictures.shape[2:], mode="bilinear"),
            total + part.sum(),
        )
    torch.testing.assert_close(interpret.fullgrad(model, pictures, TARGETS), expected)
    torch.testing.assert_close(total + model.head.bias[TARGETS].sum(), score.detach())


def assert_adds_up(model, pictures, target=1):
    of_input, parts = full_gradients(model, pictures, target)
    total = of_input.sum() + sum(part.sum() for _, part in parts)
    score = model(pictures)[:, target].sum()
    assert abs(float(total - score)) <= 1e-9 * abs(float(score))
    return parts


def test_the_full_gradients_add_up_to_the_score():
    for kind in (SmallCNN, Bent):
        assert_adds_up(network(kind), images())


class Everything(nn.Module):
    """Caps, gates, norms, attention, constants, an in-place activation, and a token beside those of places."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.cap, self.inside = nn.ReLU6(), nn.LeakyReLU(inplace=True)
        self.gate = nn.Linear(8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, images):
        maps = self.cap(4 * self.conv(images) + 2)
        gates = self.gate(maps.mean((2, 3)))
        maps = self.inside(maps * (gates.sigmoid() + F.hardsigmoid(gates))[..., None, None] - 0.5)
        tokens = torch.cat([self.token.expand(len(maps), -1, -1), maps.flatten(2).mT], 1)
        tokens = tokens + self.attention(*[self.norm(tokens)] * 3, need_weights=False)[0]
        return self.head(F.gelu(tokens)[:, 0])


def test_the_full_gradients_of_whatever_bends_add_up_too():
    model, pictures = network(Everything), images()
    kinds = [layout.kind for layout, _ in assert_adds_up(model, pictures) if layout is not None]
    assert {"map", "tokens"} <= set(kinds)
    assert interpret.fullgrad(model, pictures, 1).shape == (2, 1, 12, 10)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["densenet121", "efficientnet_b0", "googlenet", "mobilenet_v3_small", "swin_t"])
def test_the_full_gradients_of_architectures_add_up(name):
    torch.manual_seed(3)
    model = models.get_model(name, weights=None, **({"init_weights": True} if name == "googlenet" else {}))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            nn.init.normal_(module.bias, std=0.1)
    assert_adds_up(model.eval().double().requires_grad_(False), torch.rand(1, 3, 64, 64).double())


def test_the_full_gradients_of_a_real_network_add_up(squeezenet, cat):
    view, inputs = squeezenet.on_inputs(), squeezenet.prepare(cat)[0]
    of_input, parts = full_gradients(view, inputs, 281)
    assert float(of_input.sum() + sum(part.sum() for _, part in parts)) == pytest.approx(
        float(view(inputs)[0, 281]), rel=1e-3
    )


# The peer's class, and whether its sign is left to chance.
PEERS = {
    "gradcam_elementwise": ("GradCAMElementWise", False),
    "eigengradcam": ("EigenGradCAM", True),
    "kpcacam": ("KPCA_CAM", True),
    "shapleycam": ("ShapleyCAM", False),
    "finercam": ("FinerCAM", False),
}


def unit(maps):
    """Each map from 0 to 1, as the peer gives them; it cuts them at zero before."""
    maps = maps - maps.min((1, 2), keepdims=True)
    return maps / maps.max((1, 2), keepdims=True)


@pytest.mark.parametrize("name", PEERS)
def test_pytorch_grad_cam(name):
    peer = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputReST, ClassifierOutputTarget

    torch.manual_seed(1)
    model, pictures = network(SmallCNN).float(), images(20).float()
    targets = model(pictures).argmax(1)
    ours = core(name)(model, pictures, targets, layer="conv2").detach()
    kind, is_open = PEERS[name]
    if is_open:  # by the peer's own zero, since it cuts the map there
        ours = ours - ours.mean((2, 3), keepdim=True)
    model.requires_grad_(True)
    chosen = ClassifierOutputReST if name == "shapleycam" else ClassifierOutputTarget
    asked = None if name == "finercam" else [chosen(int(target)) for target in targets]
    with getattr(peer, kind)(model, [model.conv2]) as cam:
        theirs = np.asarray(cam(pictures.clone(), asked))
    large = F.interpolate(ours, pictures.shape[2:], mode="bilinear")[:, 0].numpy()
    for one, other in zip(large, theirs, strict=True):
        signs = (1, -1) if is_open else (1,)
        tried = [unit(np.maximum(sign * one, 0)[None]) for sign in signs]
        assert min(np.abs(maps - other).max() for maps in tried) <= 2e-5
