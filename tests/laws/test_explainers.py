"""What holds for every explainer in the table: nothing is left behind, whatever state the network is in."""

import inspect

import pytest
import torch
from torch import nn

from interpret import EXPLAINERS, Classifier, InterpretError, NetworkError, contrast
from interpret.explainers import explainer_named
from tests.state import left_as_found
from tests.tiny import PlainCNN, SmallCNN

explainers = pytest.mark.parametrize("explain", [explainer_named(name) for name in EXPLAINERS], ids=EXPLAINERS)


# captum's rules need a module for each activation, so these two are tried on a network that has them.
PLAIN = ("deeplift", "lrp")


def network_for(explain) -> nn.Module:
    return PlainCNN() if explain.__name__ in PLAIN else SmallCNN()


def classifier(explain, **options) -> Classifier:
    torch.manual_seed(3)
    network = network_for(explain).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
    return Classifier(network, mean=[0.5] * 3, std=[0.25] * 3, **options)


def pictures(count: int = 2, size: tuple[int, int] = (20, 16)) -> torch.Tensor:
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(7))


def a_layer(explain) -> dict:
    """A layer by name where a method looks at one, so that it need not be found first."""
    return {"layer": "conv1"} if "layer" in inspect.signature(explain).parameters else {}


@explainers
def test_everything_is_as_found(explain):
    model, images = classifier(explain, input_size=16), pictures()
    model.network.dropout.train()  # a state nobody would set up by hand, but it is the user's
    model.network.head.weight.requires_grad_(False)
    model.network.conv1.weight.grad = torch.ones_like(model.network.conv1.weight)
    with left_as_found(model, images):
        attribution = explain(model, images, torch.tensor([1, 2]))
    assert not attribution.requires_grad and attribution.grad_fn is None
    assert attribution.shape[0] == 2 and attribution.shape[-2:] == images.shape[-2:]
    assert attribution.dtype == images.dtype and torch.isfinite(attribution).all()
    assert attribution.abs().max() > 0


@explainers
def test_everything_is_as_found_after_an_exception(explain):
    model = classifier(explain)
    model.train()

    def fail(*_):
        raise ValueError("in the middle")

    handle = model.network.bn2.register_forward_hook(fail)
    with pytest.raises((ValueError, NetworkError), match="in the middle"), left_as_found(model):
        explain(model, pictures(), 1, **a_layer(explain))
    handle.remove()


@explainers
@pytest.mark.parametrize("how", ["frozen", "no_grad", "inference_mode", "training", "channels_last", "leaf", "view"])
def test_same_in_every_state(explain, how):
    model, images, target = classifier(explain, input_size=16), pictures(), torch.tensor([1, 2])
    expected = explain(model, images, target)
    if how == "frozen":
        model.requires_grad_(False)
        found = explain(model, images, target)
    elif how == "no_grad":
        with torch.no_grad():
            found = explain(model, images, target)
    elif how == "inference_mode":
        with torch.inference_mode():
            found = explain(model, images.clone(), target.clone())
    elif how == "training":
        found = explain(model.train(), images, target)
    elif how == "channels_last":
        found = explain(
            model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last), target
        )
    elif how == "leaf":
        found = explain(model, images.clone().requires_grad_(), target)
    else:
        found = explain(model, torch.cat([images, images], 3)[..., :16], target)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@explainers
def test_float64_agrees(explain):
    model, images = classifier(explain), pictures()
    expected = explain(model, images, 1)
    found = explain(model.double(), images.double(), 1)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.float(), expected, rtol=1e-3, atol=1e-5)


@explainers
def test_alone_as_in_a_batch(explain):
    model, images, targets = classifier(explain, input_size=16), pictures(5), torch.tensor([0, 1, 2, 3, 4])
    together = explain(model, images, targets)
    for image, target, attribution in zip(images, targets, together, strict=True):
        alone = explain(model, image[None], target[None])[0]
        assert (alone - attribution).abs().max() <= 1e-4 * attribution.abs().max()


@explainers
def test_a_plain_network_is_a_classifier_too(explain):
    network = network_for(explain).train()
    attribution = explain(network, pictures(), 1)
    assert attribution.shape[-2:] == (20, 16) and all(module.training for module in network.modules())


@explainers
def test_repeats_bit_for_bit(explain):
    model, images = classifier(explain), pictures()
    torch.manual_seed(1)
    first = explain(model, images, 1)
    torch.manual_seed(1)
    assert torch.equal(explain(model, images, 1), first)


@explainers
@pytest.mark.parametrize(
    "target",
    [[1], [1, 2, 3], -1, [0, -1], 5, [0.5, 1.5], "cat"],
    ids=["few", "many", "below", "one", "above", "half", "name"],
)
def test_targets_are_checked(explain, target):
    with pytest.raises(InterpretError):
        explain(classifier(explain, input_size=16), pictures(), target)


@pytest.mark.parametrize(
    "name", ["rise", "smoothgrad", "integrated_gradients", "gradient_shap", "kernel_shap", "gradcam"]
)
def test_a_contrast_may_have_a_target_for_each_image(name):
    explain = explainer_named(name)
    model, images = classifier(explain, input_size=16), pictures()
    options = {"kernel_shap": {"samples": 8, "pieces": 3}, "rise": {"masks": 4}}.get(name, {})
    together = explain(model, images, contrast(torch.tensor([1, 2]), 0), **options)
    alone = explain(model, images[1:], contrast(2, 0), **options)
    assert (together[1:] - alone).abs().max() <= 1e-4 * alone.abs().max()
