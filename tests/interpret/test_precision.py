"""Narrow arithmetic: maps and logits are wide, and close to the exact ones."""

import copy

import pytest
import torch
from torch import nn

import interpret
from interpret import InterpretError, NetworkError


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]).double())[0, 1])


@pytest.fixture(scope="module")
def narrow():
    return interpret.load("squeezenet1_1", precision="bf16")


def test_logits_are_close_and_wide(narrow, squeezenet, cat):
    with torch.no_grad():
        exact, found = squeezenet(cat), narrow(cat)
    assert found.dtype == torch.float32 and not torch.equal(found, exact)
    assert (found - exact).abs().max() < 0.05 * exact.abs().max() and found.argmax() == exact.argmax()
    assert narrow.on_inputs().precision == "bf16"


@pytest.mark.parametrize(
    ("method", "least"), [("gradcam", 0.99), ("gradcam_plusplus", 0.99), ("saliency", 0.8), ("guided_backprop", 0.95)]
)
def test_maps_are_close_and_wide(narrow, squeezenet, cat, method, least):
    target = squeezenet.find("cat", cat)
    exact, found = (getattr(interpret, method)(network, cat, target) for network in (squeezenet, narrow))
    assert found.dtype == torch.float32 and torch.isfinite(found).all()
    assert correlation(exact, found) > least and not torch.equal(exact, found)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("where", ["weights", "arithmetic"])
@pytest.mark.parametrize("name", ["lite0", "squeezenet"])
def test_cam_knows_the_head_in_narrow_numbers(request, cat, name, where, kind):
    exact = request.getfixturevalue(name)
    found = copy.deepcopy(exact)
    if where == "weights":
        found.network.to(kind)
    else:
        found.precision = {torch.bfloat16: "bf16", torch.float16: "fp16"}[kind]
    maps = [interpret.cam(network, cat, 281) for network in (exact, found)]
    assert maps[1].dtype == torch.float32 and not torch.equal(*maps)
    assert correlation(*maps) > 0.999


def test_cam_of_a_network_that_is_no_classifier_in_narrow_numbers():
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    images = torch.rand(2, 3, 12, 10)
    exact = interpret.cam(network, images, 1)
    found = interpret.cam(network.bfloat16(), images.bfloat16(), 1)
    torch.testing.assert_close(found.float(), exact, rtol=0.05, atol=0.02)


def test_an_unknown_precision_is_refused():
    with pytest.raises((InterpretError, NetworkError), match="float32, bf16, fp16"):
        interpret.load("squeezenet1_1", precision="int3")
