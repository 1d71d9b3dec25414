"""What the units of a layer add to a score: captum's three, and that they add up."""

import pytest
import torch
from captum import attr

import interpret
from interpret import InterpretError, NetworkError, UnknownNameError, unit, unit_contributions
from tests.tiny import SmallCNN

pytestmark = pytest.mark.filterwarnings("ignore")  # captum uses kinds of hooks that PyTorch advises against

TARGETS = torch.tensor([3, 1])


def network():
    torch.manual_seed(2)
    return SmallCNN().eval().double().requires_grad_(False)


def images():
    return torch.rand(2, 3, 14, 12, dtype=torch.float64)


def theirs(method, model, layer, pictures, steps):
    module = getattr(model, layer)
    if method == "input-x-gradient":
        return attr.LayerGradientXActivation(model, module).attribute(pictures.requires_grad_(), TARGETS)
    if method == "conductance":
        kind, rule = attr.LayerConductance, "riemann_trapezoid"
    else:
        kind, rule = attr.LayerIntegratedGradients, "gausslegendre"
    return kind(model, module).attribute(pictures, torch.full_like(pictures, 0.3), TARGETS, n_steps=steps, method=rule)


@pytest.mark.parametrize("method", ["conductance", "input-x-gradient", "integrated-gradients"])
@pytest.mark.parametrize("layer", ["conv2", "head"])
@pytest.mark.parametrize("steps", [2, 9])
def test_captum(method, layer, steps):
    model, pictures = network(), images()
    found = unit_contributions(model, pictures, TARGETS, layer=layer, method=method, baseline=0.3, steps=steps)
    expected = theirs(method, model, layer, pictures, steps).detach()
    assert found.shape == (2, 8, 14, 12) if layer == "conv2" else found.shape == (2, 5, 1, 1)
    torch.testing.assert_close(
        found.reshape(expected.shape), expected, rtol=1e-6, atol=1e-9
    )  # captum's weights are float32


@pytest.mark.parametrize("max_batch", [1, 3])
def test_how_many_passes_at_a_time_does_not_matter(max_batch):
    model, pictures = network(), images()
    for method in ("conductance", "integrated-gradients"):
        options = {"layer": "conv1", "method": method, "steps": 5}
        found = unit_contributions(model, pictures, TARGETS, max_batch=max_batch, **options)
        torch.testing.assert_close(found, unit_contributions(model, pictures, TARGETS, **options))
        alone = [unit_contributions(model, pictures[i : i + 1], TARGETS[i : i + 1], **options) for i in (0, 1)]
        torch.testing.assert_close(found, torch.cat(alone))


@pytest.mark.parametrize("layer", ["bn1", "relu#2", "F.relu", "head"])
def test_conductance_adds_up_to_the_rise_of_the_score_whatever_the_layer(layer):
    model, pictures = network(), images()
    if layer == "F.relu":
        layer = interpret.default_layer(model, pictures)
    found = unit_contributions(model, pictures, TARGETS, layer=layer, steps=400)
    rise = model(pictures) - model(torch.zeros_like(pictures))
    torch.testing.assert_close(found.sum((1, 2, 3)), rise.gather(1, TARGETS[:, None])[:, 0], rtol=0, atol=2e-3)


def test_units_below_a_unit():
    model, pictures = network(), images()
    found = unit_contributions(model, pictures, unit("bn2", 3), layer="conv2", method="input-x-gradient")
    assert found[:, 3].abs().min() > 0 and found[:, [0, 1, 2, 4, 5, 6, 7]].abs().max() == 0


def test_a_real_network_on_the_pictures_own_grid(squeezenet, cat):
    found = unit_contributions(squeezenet, cat, 281, method="input-x-gradient")
    view, inputs = squeezenet.on_inputs(), squeezenet.prepare(cat)[0]
    expected = interpret.explainers.explainer_named("hirescam").__wrapped__(view, inputs, 281).detach()
    torch.testing.assert_close(found.sum(1, keepdim=True), expected)


def test_what_cannot_be_asked():
    model, pictures = network(), images()
    with pytest.raises(InterpretError, match="no method 'x'; there are conductance, input-x-gradient, integrated"):
        unit_contributions(model, pictures, 1, method="x")
    with pytest.raises(UnknownNameError, match="no layer 'conv9'"):
        unit_contributions(model, pictures, 1, layer="conv9")
    with pytest.raises(InterpretError, match="steps is a whole number of 1 or more, not 0"):
        unit_contributions(model, pictures, 1, steps=0)
    with pytest.raises(NetworkError, match="does not depend on layer 'bn2'"):
        unit_contributions(model, pictures, unit("conv1", 1), layer="bn2")
